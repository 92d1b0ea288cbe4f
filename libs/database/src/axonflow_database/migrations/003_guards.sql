-- What replicas must agree on: nonces that were used, and how much of a client's minute is taken.

CREATE TABLE IF NOT EXISTS internal_nonces (
    receiver text NOT NULL,
    nonce text NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (receiver, nonce)
);

CREATE INDEX IF NOT EXISTS internal_nonces_by_expiry ON internal_nonces (expires_at);

GRANT SELECT, INSERT, UPDATE, DELETE ON internal_nonces TO axonflow_platform;

CREATE TABLE IF NOT EXISTS rate_windows (
    org_id text NOT NULL,
    client_id text NOT NULL,
    window_start timestamptz NOT NULL,
    permits_leased integer NOT NULL CHECK (permits_leased >= 0),
    PRIMARY KEY (org_id, client_id, window_start)
);

CALL axonflow_isolate('rate_windows');

GRANT SELECT, INSERT, UPDATE, DELETE ON rate_windows TO axonflow_app;
