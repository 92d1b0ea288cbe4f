-- Static policies. The product's own rows belong to the reserved organisation '@system': every organisation reads
-- them, only the platform role writes them.

CREATE TABLE IF NOT EXISTS static_policies (
    org_id text NOT NULL,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    tenant_id text NOT NULL DEFAULT 'global',
    organization_id text,
    policy_id text NOT NULL,
    name text NOT NULL,
    description text NOT NULL DEFAULT '',
    category text NOT NULL,
    tier text NOT NULL CHECK (tier IN ('system', 'organization', 'tenant')),
    pattern text NOT NULL,
    validator text,
    reason text NOT NULL DEFAULT '',
    severity text NOT NULL CHECK (severity IN ('critical', 'high', 'medium', 'low')),
    action text NOT NULL CHECK (action IN ('block', 'require_approval', 'redact', 'warn', 'log')),
    action_request text CHECK (action_request IN ('block', 'require_approval', 'redact', 'warn', 'log')),
    action_response text CHECK (action_response IN ('block', 'require_approval', 'redact', 'warn', 'log')),
    enabled boolean NOT NULL DEFAULT true,
    priority integer NOT NULL DEFAULT 100,
    version integer NOT NULL DEFAULT 1,
    catalogue_version integer,
    tags text[] NOT NULL DEFAULT '{}',
    metadata jsonb NOT NULL DEFAULT '{}',
    created_by text NOT NULL DEFAULT 'system',
    updated_by text NOT NULL DEFAULT 'system',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz,
    PRIMARY KEY (org_id, id),
    CONSTRAINT static_policies_system_rows CHECK ((tier = 'system') = (org_id = '@system'))
);

COMMENT ON COLUMN static_policies.catalogue_version IS 'Of the catalogue that a system row came from; null elsewhere.';

CREATE UNIQUE INDEX IF NOT EXISTS static_policies_policy_id
    ON static_policies (org_id, tenant_id, policy_id) WHERE deleted_at IS NULL;

CALL axonflow_isolate('static_policies');

DROP POLICY IF EXISTS system_read ON static_policies;

CREATE POLICY system_read ON static_policies FOR SELECT TO axonflow_app USING (org_id = '@system');

DROP POLICY IF EXISTS system_insert ON static_policies;

CREATE POLICY system_insert ON static_policies FOR INSERT TO axonflow_platform WITH CHECK (org_id = '@system');

DROP POLICY IF EXISTS system_update ON static_policies;

CREATE POLICY system_update ON static_policies FOR UPDATE TO axonflow_platform USING (org_id = '@system');

CALL axonflow_watch('static_policies', 'axonflow_policies');

GRANT SELECT, INSERT, UPDATE ON static_policies TO axonflow_app, axonflow_platform;
