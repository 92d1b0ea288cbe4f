-- What was judged, whole and sealed, beside the record; who wants how much of it kept; and the operator's levers.

CREATE TABLE IF NOT EXISTS sealed_inputs (
    org_id text NOT NULL,
    created_at timestamptz NOT NULL,
    id text NOT NULL,
    tenant_id text NOT NULL DEFAULT '',
    sealed bytea,
    omitted text,
    size_bytes bigint NOT NULL,
    PRIMARY KEY (org_id, created_at, id),
    CONSTRAINT sealed_inputs_kept_or_not CHECK ((sealed IS NULL) = (omitted IS NOT NULL))
) PARTITION BY RANGE (created_at);

COMMENT ON TABLE sealed_inputs IS 'Keys are those of audit_logs; a value opens for its own organisation and id alone.';

COMMENT ON COLUMN sealed_inputs.omitted IS 'Why nothing was kept, such as too_large.';

COMMENT ON COLUMN sealed_inputs.size_bytes IS 'Of the judged content in UTF-8, paths and roles included.';

CREATE TABLE IF NOT EXISTS sealed_inputs_default PARTITION OF sealed_inputs DEFAULT;

ALTER TABLE sealed_inputs_default ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CALL axonflow_isolate('sealed_inputs');

DROP POLICY IF EXISTS audit_append ON sealed_inputs;

CREATE POLICY audit_append ON sealed_inputs FOR INSERT TO axonflow_audit_writer WITH CHECK (true);

GRANT INSERT ON sealed_inputs TO axonflow_audit_writer;

-- Not the platform role: nothing that works across organisations needs it.
GRANT SELECT ON sealed_inputs TO axonflow_app;

CREATE TABLE IF NOT EXISTS recording_settings (
    org_id text NOT NULL,
    tenant_id text NOT NULL,
    mode text NOT NULL CHECK (mode IN ('off', 'redacted', 'sealed')),
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, tenant_id)
);

COMMENT ON COLUMN recording_settings.tenant_id IS 'Empty: for every tenant of the organisation without a row of its own.';

CALL axonflow_isolate('recording_settings');

CALL axonflow_watch('recording_settings', 'axonflow_recording');

GRANT SELECT, INSERT, UPDATE ON recording_settings TO axonflow_app;

GRANT SELECT ON recording_settings TO axonflow_platform;

-- The operator's levers are variables of the agent; whoever else asks what would be decided now finds them here.
CREATE TABLE IF NOT EXISTS policy_postures (
    mode text PRIMARY KEY,
    posture jsonb NOT NULL,
    announced_at timestamptz NOT NULL DEFAULT now()
);

COMMENT ON TABLE policy_postures IS 'By plane family, as the agent that started last has them.';

GRANT SELECT ON policy_postures TO axonflow_app;

GRANT SELECT, INSERT, UPDATE ON policy_postures TO axonflow_platform;
