-- Dynamic policies of tenants and organisations, their history, where templates were used, and counts of a day. The
-- product's own rules are code (libs/policy) and have no rows. Only the orchestrator writes here.

CREATE TABLE IF NOT EXISTS dynamic_policies (
    org_id text NOT NULL,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    tier text NOT NULL CHECK (tier IN ('organization', 'tenant')),
    tenant_id text NOT NULL,
    name text NOT NULL CHECK (name <> ''),
    description text NOT NULL DEFAULT '',
    type text NOT NULL,
    category text NOT NULL,
    conditions json NOT NULL,
    actions json NOT NULL,
    phases text NOT NULL DEFAULT 'both' CHECK (phases IN ('request', 'response', 'both')),
    priority integer NOT NULL DEFAULT 0 CHECK (priority BETWEEN 0 AND 1000),
    enabled boolean NOT NULL DEFAULT true,
    version integer NOT NULL DEFAULT 1,
    tags text[] NOT NULL DEFAULT '{}',
    created_by text NOT NULL,
    updated_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz,
    PRIMARY KEY (org_id, id),
    CONSTRAINT dynamic_policies_owner CHECK ((tier = 'organization') = (tenant_id = ''))
);

COMMENT ON COLUMN dynamic_policies.tenant_id IS 'Empty for a rule of the whole organisation.';

COMMENT ON COLUMN dynamic_policies.conditions IS 'json and not jsonb: numbers come back as they were written.';

CREATE INDEX IF NOT EXISTS dynamic_policies_in_force ON dynamic_policies (org_id, tenant_id) WHERE deleted_at IS NULL;

CALL axonflow_isolate('dynamic_policies');

CALL axonflow_watch('dynamic_policies', 'axonflow_rules');

GRANT SELECT, INSERT, UPDATE ON dynamic_policies TO axonflow_app;

GRANT SELECT ON dynamic_policies TO axonflow_platform;

CREATE TABLE IF NOT EXISTS dynamic_policy_versions (
    org_id text NOT NULL,
    policy_id uuid NOT NULL,
    version integer NOT NULL,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    change_type text NOT NULL CHECK (change_type IN ('create', 'update', 'delete', 'enable', 'disable')),
    change_summary text NOT NULL DEFAULT '',
    snapshot json NOT NULL,
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, policy_id, version)
);

COMMENT ON COLUMN dynamic_policy_versions.snapshot IS 'The policy as it stood after the change.';

CALL axonflow_isolate('dynamic_policy_versions');

GRANT SELECT, INSERT ON dynamic_policy_versions TO axonflow_app;

CREATE TABLE IF NOT EXISTS policy_template_usage (
    org_id text NOT NULL,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    tenant_id text NOT NULL,
    template_id text NOT NULL,
    policy_id uuid NOT NULL,
    used_by text NOT NULL,
    used_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, id)
);

CREATE INDEX IF NOT EXISTS policy_template_usage_by_template ON policy_template_usage (org_id, template_id);

CALL axonflow_isolate('policy_template_usage');

GRANT SELECT, INSERT ON policy_template_usage TO axonflow_app;

-- What an edition allows so many times a day (UTC), counted once for all replicas.
CREATE TABLE IF NOT EXISTS daily_counts (
    org_id text NOT NULL,
    name text NOT NULL,
    day date NOT NULL,
    used integer NOT NULL CHECK (used > 0),
    PRIMARY KEY (org_id, name, day)
);

CALL axonflow_isolate('daily_counts');

GRANT SELECT, INSERT, UPDATE, DELETE ON daily_counts TO axonflow_app;
