-- Model providers that tenants define, and how providers did when last asked. The orchestrator writes and follows both.

-- An empty tenant_id is the organisation's own: all of its tenants may use the provider.
CREATE TABLE IF NOT EXISTS llm_providers (
    org_id text NOT NULL,
    tenant_id text NOT NULL,
    name text NOT NULL CHECK (name <> ''),
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    type text NOT NULL,
    endpoint text NOT NULL DEFAULT '',
    model text NOT NULL DEFAULT '',
    region text NOT NULL DEFAULT '',
    enabled boolean NOT NULL DEFAULT true,
    priority integer NOT NULL DEFAULT 100,
    weight integer NOT NULL DEFAULT 100,
    rate_limit integer CHECK (rate_limit > 0),
    timeout_seconds integer NOT NULL DEFAULT 30 CHECK (timeout_seconds > 0),
    settings jsonb NOT NULL DEFAULT '{}',
    credentials bytea,
    credential_names text[] NOT NULL DEFAULT '{}',
    version integer NOT NULL DEFAULT 1,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, tenant_id, name),
    UNIQUE (org_id, id),
    CONSTRAINT llm_providers_sealed CHECK ((credentials IS NULL) = (credential_names = '{}'))
);

COMMENT ON COLUMN llm_providers.credentials IS 'Sealed for this organisation and id; never in clear.';

CALL axonflow_isolate('llm_providers');

CALL axonflow_watch('llm_providers', 'axonflow_llm_providers');

GRANT SELECT, INSERT, UPDATE, DELETE ON llm_providers TO axonflow_app;

GRANT SELECT ON llm_providers TO axonflow_platform;

-- Apart from the definitions, so that asking a provider is no change that processes must follow. `provider` is the id of
-- a definition, or source:name of one that the deployment's own organisation keeps for all.
CREATE TABLE IF NOT EXISTS llm_provider_health (
    org_id text NOT NULL,
    provider text NOT NULL,
    status text NOT NULL CHECK (status IN ('healthy', 'unhealthy', 'unknown')),
    message text NOT NULL DEFAULT '',
    consecutive_failures integer NOT NULL DEFAULT 0,
    checked_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, provider)
);

CALL axonflow_isolate('llm_provider_health');

GRANT SELECT, INSERT, UPDATE, DELETE ON llm_provider_health TO axonflow_app;
