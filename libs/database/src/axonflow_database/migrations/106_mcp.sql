-- The MCP planes (agent contract §1.10, §4.1): what was asked of a connector and what came back, beside its decision;
-- and the sessions that clients of the MCP server opened, which every replica must know.

CREATE TABLE IF NOT EXISTS mcp_query_audits (
    org_id text NOT NULL,
    created_at timestamptz NOT NULL,
    id text NOT NULL,
    tenant_id text NOT NULL DEFAULT '',
    client_id text NOT NULL DEFAULT '',
    user_id text,
    connector_name text NOT NULL,
    operation text NOT NULL,
    statement_hash text,
    parameters_hash text,
    parameter_count integer NOT NULL DEFAULT 0,
    request_blocked boolean NOT NULL DEFAULT false,
    request_block_reason text,
    request_policies_evaluated integer NOT NULL DEFAULT 0,
    request_matched_policies text[] NOT NULL DEFAULT '{}',
    response_blocked boolean NOT NULL DEFAULT false,
    response_policies_evaluated integer NOT NULL DEFAULT 0,
    response_matched_policies text[] NOT NULL DEFAULT '{}',
    response_redacted boolean NOT NULL DEFAULT false,
    response_redactions_count integer NOT NULL DEFAULT 0,
    response_redacted_fields text[] NOT NULL DEFAULT '{}',
    exfil_rows_returned bigint NOT NULL DEFAULT 0,
    exfil_bytes_returned bigint NOT NULL DEFAULT 0,
    exfil_exceeded boolean NOT NULL DEFAULT false,
    exfil_limit_type text NOT NULL DEFAULT 'none',
    row_count bigint NOT NULL DEFAULT 0,
    duration_ms double precision,
    success boolean NOT NULL,
    error_message text,
    PRIMARY KEY (org_id, created_at, id)
) PARTITION BY RANGE (created_at);

COMMENT ON COLUMN mcp_query_audits.id IS 'The decision id; the contract calls it audit_id.';

COMMENT ON COLUMN mcp_query_audits.connector_name IS 'As the caller named it, masked where a policy found something.';

CREATE TABLE IF NOT EXISTS mcp_query_audits_default PARTITION OF mcp_query_audits DEFAULT;

CREATE INDEX IF NOT EXISTS mcp_query_audits_by_id ON mcp_query_audits (org_id, id);

ALTER TABLE mcp_query_audits_default ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CALL axonflow_isolate('mcp_query_audits');

DROP POLICY IF EXISTS audit_append ON mcp_query_audits;

CREATE POLICY audit_append ON mcp_query_audits FOR INSERT TO axonflow_audit_writer WITH CHECK (true);

GRANT INSERT ON mcp_query_audits TO axonflow_audit_writer;

GRANT SELECT ON mcp_query_audits TO axonflow_app, axonflow_platform;

-- A session gives no right: each request proves who it is. It is kept so that one that was ended stays ended.
CREATE TABLE IF NOT EXISTS mcp_sessions (
    org_id text NOT NULL,
    id uuid NOT NULL,
    client_id text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (org_id, id)
);

CREATE INDEX IF NOT EXISTS mcp_sessions_by_expiry ON mcp_sessions (org_id, expires_at);

CALL axonflow_isolate('mcp_sessions');

GRANT SELECT, INSERT, DELETE ON mcp_sessions TO axonflow_app;
