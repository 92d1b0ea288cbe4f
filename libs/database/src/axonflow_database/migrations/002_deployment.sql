-- Who the deployment belongs to, who may call it, and the secret its services share.

CREATE TABLE IF NOT EXISTS organizations (
    org_id text PRIMARY KEY,
    name text NOT NULL,
    tier text NOT NULL DEFAULT 'Community',
    status text NOT NULL DEFAULT 'active',
    max_nodes integer NOT NULL DEFAULT 2,
    contact_email text,
    contact_phone text,
    expires_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

CALL axonflow_isolate('organizations');

GRANT SELECT, INSERT, UPDATE ON organizations TO axonflow_app;

GRANT SELECT ON organizations TO axonflow_platform;

-- A reference table: credentials are found by client id before the organisation is known.
CREATE TABLE IF NOT EXISTS clients (
    client_id text PRIMARY KEY,
    org_id text NOT NULL,
    tenant_id text NOT NULL,
    name text NOT NULL DEFAULT '',
    secret_sha256 bytea NOT NULL CHECK (octet_length(secret_sha256) = 32),
    permissions text[] NOT NULL DEFAULT '{}',
    rate_limit integer NOT NULL DEFAULT 0 CHECK (rate_limit >= 0),
    enabled boolean NOT NULL DEFAULT true,
    license_tier text NOT NULL DEFAULT 'Community',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

COMMENT ON COLUMN clients.rate_limit IS 'Calls a minute; 0 means no limit.';

CREATE INDEX IF NOT EXISTS clients_by_org ON clients (org_id, client_id);

CALL axonflow_isolate('clients');

CALL axonflow_watch('clients', 'axonflow_clients');

GRANT SELECT, INSERT, UPDATE, DELETE ON clients TO axonflow_app;

GRANT SELECT ON clients TO axonflow_platform;

CREATE TABLE IF NOT EXISTS deployment_secrets (
    name text PRIMARY KEY,
    value text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

GRANT SELECT ON deployment_secrets TO axonflow_platform;
