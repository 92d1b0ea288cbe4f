-- History of static policies, and overrides of the product's own policies for one organisation or one of its tenants.

CREATE TABLE IF NOT EXISTS static_policy_versions (
    org_id text NOT NULL,
    policy_id uuid NOT NULL,
    version integer NOT NULL,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    change_type text NOT NULL CHECK (change_type IN ('create', 'update', 'delete', 'enable', 'disable', 'override')),
    change_summary text NOT NULL DEFAULT '',
    snapshot jsonb NOT NULL,
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, policy_id, version)
);

COMMENT ON COLUMN static_policy_versions.snapshot IS 'The policy as it stood after the change.';

CALL axonflow_isolate('static_policy_versions');

GRANT SELECT, INSERT ON static_policy_versions TO axonflow_app;

CREATE TABLE IF NOT EXISTS policy_overrides (
    org_id text NOT NULL,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    tenant_id text,
    policy_id text NOT NULL,
    action_override text CHECK (action_override IN ('block', 'require_approval', 'redact', 'warn', 'log')),
    enabled_override boolean,
    override_reason text NOT NULL CHECK (override_reason <> ''),
    expires_at timestamptz,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz,
    ended_by text,
    PRIMARY KEY (org_id, id),
    CONSTRAINT policy_overrides_change_something CHECK (num_nonnulls(action_override, enabled_override) > 0),
    CONSTRAINT policy_overrides_end CHECK ((ended_at IS NULL) = (ended_by IS NULL))
);

COMMENT ON COLUMN policy_overrides.tenant_id IS 'Null: for every tenant of the organisation.';

COMMENT ON COLUMN policy_overrides.policy_id IS 'The stable slug of a system policy, such as sys_pii_ssn.';

COMMENT ON COLUMN policy_overrides.ended_by IS 'Who removed it; expiry where its time ran out before it was replaced.';

CREATE UNIQUE INDEX IF NOT EXISTS policy_overrides_one_per_scope
    ON policy_overrides (org_id, policy_id, coalesce(tenant_id, '')) WHERE ended_at IS NULL;

CALL axonflow_isolate('policy_overrides');

CALL axonflow_watch('policy_overrides', 'axonflow_overrides');

GRANT SELECT, INSERT, UPDATE ON policy_overrides TO axonflow_app;

GRANT SELECT ON policy_overrides TO axonflow_platform;
