"""Decision Mode: verdicts for gateways that carry the traffic themselves."""
