-- Installed connectors and how they did when last looked at. The orchestrator writes both; agents follow the first.

CREATE TABLE IF NOT EXISTS connectors (
    org_id text NOT NULL,
    tenant_id text NOT NULL,
    name text NOT NULL CHECK (name <> ''),
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    type text NOT NULL,
    options jsonb NOT NULL DEFAULT '{}',
    credentials bytea,
    credential_names text[] NOT NULL DEFAULT '{}',
    version integer NOT NULL DEFAULT 1,
    installed_by text NOT NULL,
    installed_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, tenant_id, name),
    UNIQUE (org_id, id),
    CONSTRAINT connectors_sealed CHECK ((credentials IS NULL) = (credential_names = '{}'))
);

COMMENT ON COLUMN connectors.credentials IS 'Sealed for this organisation and id; never in clear.';

CALL axonflow_isolate('connectors');

CALL axonflow_watch('connectors', 'axonflow_connectors');

GRANT SELECT, INSERT, UPDATE, DELETE ON connectors TO axonflow_app;

-- Apart from the definitions, so that looking at a connector is no change that agents must follow.
CREATE TABLE IF NOT EXISTS connector_health (
    org_id text NOT NULL,
    connector_id uuid NOT NULL,
    healthy boolean NOT NULL,
    latency_ms double precision NOT NULL,
    error text,
    checked_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, connector_id)
);

CALL axonflow_isolate('connector_health');

GRANT SELECT, INSERT, UPDATE, DELETE ON connector_health TO axonflow_app;
