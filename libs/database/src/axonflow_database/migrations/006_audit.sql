-- The record (rulings §5): one row for each governed call, with details of model calls beside it. Rows are added by
-- the audit writer and changed by nobody.

CREATE TABLE IF NOT EXISTS audit_logs (
    org_id text NOT NULL,
    created_at timestamptz NOT NULL,
    id text NOT NULL,
    decision_id text NOT NULL,
    request_id text,
    trace_id text,
    tenant_id text NOT NULL DEFAULT '',
    client_id text NOT NULL DEFAULT '',
    user_id text,
    user_email text,
    user_role text,
    plane text NOT NULL,
    phase text,
    request_type text,
    verdict text NOT NULL CHECK (verdict IN ('allowed', 'blocked', 'redacted', 'needs_approval', 'error')),
    matched_policies jsonb NOT NULL DEFAULT '[]',
    policy_set_hash text,
    reason text,
    query text,
    query_hash text,
    input_flagged boolean NOT NULL DEFAULT false,
    latency_ms double precision,
    redaction_count integer NOT NULL DEFAULT 0,
    provider text,
    model text,
    response_time_ms double precision,
    tokens_used bigint,
    cost_usd numeric(14, 8),
    error_message text,
    metadata jsonb NOT NULL DEFAULT '{}',
    folded_count integer NOT NULL DEFAULT 1,
    row_hash text,
    canonical_version integer,
    PRIMARY KEY (org_id, created_at, id)
) PARTITION BY RANGE (created_at);

COMMENT ON COLUMN audit_logs.query IS 'Redacted, at most 500 characters; how much is kept is AXONFLOW_RECORD_INPUT.';

COMMENT ON COLUMN audit_logs.input_flagged IS 'The text held what PostgreSQL cannot keep (NUL) and was escaped.';

COMMENT ON COLUMN audit_logs.folded_count IS 'How many equal refusals this row stands for.';

CREATE TABLE IF NOT EXISTS audit_logs_default PARTITION OF audit_logs DEFAULT;

CREATE INDEX IF NOT EXISTS audit_logs_by_decision ON audit_logs (org_id, decision_id);

CREATE INDEX IF NOT EXISTS audit_logs_by_trace ON audit_logs (org_id, trace_id);

CREATE TABLE IF NOT EXISTS llm_call_audits (
    org_id text NOT NULL,
    created_at timestamptz NOT NULL,
    id text NOT NULL,
    context_id text,
    tenant_id text NOT NULL DEFAULT '',
    client_id text NOT NULL DEFAULT '',
    provider text NOT NULL DEFAULT '',
    model text NOT NULL DEFAULT '',
    prompt_tokens bigint NOT NULL DEFAULT 0,
    completion_tokens bigint NOT NULL DEFAULT 0,
    total_tokens bigint NOT NULL DEFAULT 0,
    cached_tokens bigint NOT NULL DEFAULT 0,
    latency_ms double precision,
    estimated_cost_usd numeric(14, 8) NOT NULL DEFAULT 0,
    decision text NOT NULL CHECK (decision IN ('allow', 'deny', 'error')),
    response_summary_hash text,
    metadata jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (org_id, created_at, id)
) PARTITION BY RANGE (created_at);

COMMENT ON COLUMN llm_call_audits.id IS 'The decision id; clients know it as audit_id.';

CREATE TABLE IF NOT EXISTS llm_call_audits_default PARTITION OF llm_call_audits DEFAULT;

CREATE INDEX IF NOT EXISTS llm_call_audits_by_id ON llm_call_audits (org_id, id);

-- No role has a right on a partition itself; closed all the same, should one ever be given.
ALTER TABLE audit_logs_default ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

ALTER TABLE llm_call_audits_default ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CALL axonflow_isolate('audit_logs');

CALL axonflow_isolate('llm_call_audits');

DROP POLICY IF EXISTS audit_append ON audit_logs;

CREATE POLICY audit_append ON audit_logs FOR INSERT TO axonflow_audit_writer WITH CHECK (true);

DROP POLICY IF EXISTS audit_append ON llm_call_audits;

CREATE POLICY audit_append ON llm_call_audits FOR INSERT TO axonflow_audit_writer WITH CHECK (true);

GRANT INSERT ON audit_logs, llm_call_audits TO axonflow_audit_writer;

GRANT SELECT ON audit_logs, llm_call_audits TO axonflow_app, axonflow_platform;

-- Makes the partitions of this month and of the given number of months after it, for every table that is partitioned
-- by month, and gives the number made. Rows that the default partition took meanwhile move along.
CREATE OR REPLACE FUNCTION axonflow_make_partitions(months_ahead integer DEFAULT 3) RETURNS integer
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
SET timezone = 'UTC'
AS $$
DECLARE
    parent record;
    month_start timestamptz;
    part text;
    made integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('axonflow_make_partitions'));
    FOR parent IN
        SELECT c.relname AS name, d.relname AS default_name
        FROM pg_partitioned_table p
        JOIN pg_class c ON c.oid = p.partrelid
        JOIN pg_class d ON d.oid = p.partdefid
        WHERE p.partstrat = 'r' AND c.relnamespace = 'public'::regnamespace
        ORDER BY c.relname
    LOOP
        FOR ahead IN 0..months_ahead LOOP
            month_start := date_trunc('month', now()) + make_interval(months => ahead);
            part := format('%s_y%sm%s', parent.name, to_char(month_start, 'YYYY'), to_char(month_start, 'MM'));
            CONTINUE WHEN to_regclass(format('public.%I', part)) IS NOT NULL;
            EXECUTE format('CREATE TABLE public.%I (LIKE public.%I INCLUDING ALL)', part, parent.name);
            EXECUTE format('ALTER TABLE public.%I NO FORCE ROW LEVEL SECURITY', parent.default_name);
            EXECUTE format(
                'WITH moved AS (DELETE FROM public.%I WHERE created_at >= $1 AND created_at < $2 RETURNING *) '
                'INSERT INTO public.%I SELECT * FROM moved', parent.default_name, part)
                USING month_start, month_start + interval '1 month';
            EXECUTE format(
                'ALTER TABLE public.%I ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
                parent.name, part, month_start, month_start + interval '1 month');
            EXECUTE format('ALTER TABLE public.%I ENABLE ROW LEVEL SECURITY', part);
            EXECUTE format('ALTER TABLE public.%I FORCE ROW LEVEL SECURITY', part);
            EXECUTE format('ALTER TABLE public.%I FORCE ROW LEVEL SECURITY', parent.default_name);
            made := made + 1;
        END LOOP;
    END LOOP;
    RETURN made;
END $$;

REVOKE ALL ON FUNCTION axonflow_make_partitions(integer) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION axonflow_make_partitions(integer) TO axonflow_platform;
