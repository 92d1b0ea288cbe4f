"""Client applications: the credentials that may call, and the admin API that makes them."""
