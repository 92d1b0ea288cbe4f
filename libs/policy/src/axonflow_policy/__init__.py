"""The policy engine: catalogue, compiled set, evaluation, redaction. Pure."""
