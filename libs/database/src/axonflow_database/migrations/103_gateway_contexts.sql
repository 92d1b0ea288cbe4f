-- Gateway Mode (agent contract §1.5, §1.6): what a client was answered, so that it can report its model call under it.
-- Kept as long as the record is, since an approval that no report followed is what the gap report tells of.

CREATE TABLE IF NOT EXISTS gateway_contexts (
    org_id text NOT NULL,
    created_at timestamptz NOT NULL,
    id text NOT NULL,
    tenant_id text NOT NULL DEFAULT '',
    client_id text NOT NULL DEFAULT '',
    user_token_hash text,
    query_hash text,
    data_sources text[] NOT NULL DEFAULT '{}',
    policies_evaluated text[] NOT NULL DEFAULT '{}',
    approved boolean NOT NULL,
    block_reason text,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (org_id, created_at, id)
) PARTITION BY RANGE (created_at);

COMMENT ON COLUMN gateway_contexts.id IS 'The decision id; clients know it as context_id.';

CREATE TABLE IF NOT EXISTS gateway_contexts_default PARTITION OF gateway_contexts DEFAULT;

CREATE INDEX IF NOT EXISTS gateway_contexts_by_id ON gateway_contexts (org_id, id);

ALTER TABLE gateway_contexts_default ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CALL axonflow_isolate('gateway_contexts');

DROP POLICY IF EXISTS audit_append ON gateway_contexts;

CREATE POLICY audit_append ON gateway_contexts FOR INSERT TO axonflow_audit_writer WITH CHECK (true);

GRANT INSERT ON gateway_contexts TO axonflow_audit_writer;

GRANT SELECT ON gateway_contexts TO axonflow_app, axonflow_platform;

-- A reported call stands beside its context: at the same moment of the same month.
CREATE INDEX IF NOT EXISTS llm_call_audits_by_context
    ON llm_call_audits (org_id, context_id, created_at) WHERE context_id IS NOT NULL;
