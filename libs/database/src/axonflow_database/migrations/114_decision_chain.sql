-- The steps of a governed request beside its decision (orchestrator contract §3.6), what was masked in its answer, the
-- beginning of the answer where it was drawn for review, and how many answers a tenant has drawn (§3.5).

CREATE TABLE IF NOT EXISTS decision_chain (
    org_id text NOT NULL,
    created_at timestamptz NOT NULL,
    decision_id text NOT NULL,
    step_number integer NOT NULL CHECK (step_number > 0),
    chain_id text NOT NULL,
    request_id text,
    parent_request_id text,
    trace_id text,
    tenant_id text NOT NULL DEFAULT '',
    client_id text NOT NULL DEFAULT '',
    user_id text,
    decision_type text NOT NULL,
    step_name text NOT NULL,
    system_id text NOT NULL DEFAULT '',
    model_provider text NOT NULL DEFAULT '',
    model_id text NOT NULL DEFAULT '',
    decision_outcome text NOT NULL,
    policies_evaluated text[] NOT NULL DEFAULT '{}',
    policy_triggered text NOT NULL DEFAULT '',
    risk_level text NOT NULL DEFAULT '',
    requires_human_review boolean NOT NULL DEFAULT false,
    started_at timestamptz NOT NULL,
    processing_time_ms double precision NOT NULL DEFAULT 0,
    input_hash text NOT NULL DEFAULT '',
    output_hash text NOT NULL DEFAULT '',
    data_sources text[] NOT NULL DEFAULT '{}',
    metadata jsonb NOT NULL DEFAULT '{}',
    audit_hash text NOT NULL,
    PRIMARY KEY (org_id, created_at, decision_id, step_number),
    CONSTRAINT decision_chain_type CHECK (
        decision_type IN ('policy_enforcement', 'llm_generation', 'data_retrieval', 'human_review', 'system_action')),
    CONSTRAINT decision_chain_outcome CHECK (
        decision_outcome IN ('approved', 'blocked', 'modified', 'pending_review', 'error'))
) PARTITION BY RANGE (created_at);

-- Found by the moment of the decision, which has its indexes; an index here would be paid for by every step.
COMMENT ON TABLE decision_chain IS 'created_at and decision_id are those of the row in audit_logs, for every step.';

COMMENT ON COLUMN decision_chain.chain_id IS 'The decision id, or a chain that a caller goes on with over requests.';

COMMENT ON COLUMN decision_chain.audit_hash IS 'SHA-256 over the hash of the step before and this row in canonical JSON.';

CREATE TABLE IF NOT EXISTS decision_chain_default PARTITION OF decision_chain DEFAULT;

-- Chains over several requests are few; all others are found by their decision.
CREATE INDEX IF NOT EXISTS decision_chain_continued
    ON decision_chain (org_id, chain_id, created_at) WHERE chain_id <> decision_id;

ALTER TABLE decision_chain_default ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CALL axonflow_isolate('decision_chain');

DROP POLICY IF EXISTS audit_append ON decision_chain;

CREATE POLICY audit_append ON decision_chain FOR INSERT TO axonflow_audit_writer WITH CHECK (true);

GRANT INSERT ON decision_chain TO axonflow_audit_writer;

GRANT SELECT ON decision_chain TO axonflow_app, axonflow_platform;

ALTER TABLE audit_logs ADD COLUMN IF NOT EXISTS response_sample text;

ALTER TABLE audit_logs ADD COLUMN IF NOT EXISTS redacted_fields text[] NOT NULL DEFAULT '{}';

COMMENT ON COLUMN audit_logs.response_sample IS 'The first 200 characters after redaction, where drawn for review.';

-- Samples are reviewed by time, and may be drawn rarely.
CREATE INDEX IF NOT EXISTS audit_logs_sampled
    ON audit_logs (org_id, created_at, id) WHERE response_sample IS NOT NULL;

CREATE TABLE IF NOT EXISTS sampling_settings (
    org_id text NOT NULL,
    tenant_id text NOT NULL,
    rate double precision NOT NULL CHECK (rate >= 0 AND rate <= 1),
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, tenant_id)
);

COMMENT ON COLUMN sampling_settings.tenant_id IS 'Empty: for every tenant of the organisation without a row of its own.';

CALL axonflow_isolate('sampling_settings');

CALL axonflow_watch('sampling_settings', 'axonflow_sampling');

GRANT SELECT, INSERT, UPDATE ON sampling_settings TO axonflow_app;

GRANT SELECT ON sampling_settings TO axonflow_platform;
