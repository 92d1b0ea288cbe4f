"""What tests of several kinds share: servers, upstreams, checkouts, drivers."""
