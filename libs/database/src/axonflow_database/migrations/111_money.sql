-- Budgets, what was spent and is held of each in its period, alerts, and one record for every call that cost or may have
-- cost something. The orchestrator writes all of it; agents follow the budgets.

CREATE TABLE IF NOT EXISTS budgets (
    org_id text NOT NULL,
    tenant_id text NOT NULL DEFAULT '',
    id text NOT NULL CHECK (id <> ''),
    uid uuid NOT NULL DEFAULT gen_random_uuid(),
    name text NOT NULL CHECK (name <> ''),
    description text NOT NULL DEFAULT '',
    scope text NOT NULL CHECK (scope IN ('organization', 'team', 'agent', 'workflow', 'user')),
    scope_id text NOT NULL DEFAULT '',
    limit_usd numeric(20, 8) NOT NULL CHECK (limit_usd > 0),
    period text NOT NULL CHECK (period IN ('daily', 'weekly', 'monthly', 'quarterly', 'yearly')),
    on_exceed text NOT NULL CHECK (on_exceed IN ('warn', 'block', 'downgrade')),
    alert_thresholds integer[] NOT NULL DEFAULT '{50,80,100}',
    enabled boolean NOT NULL DEFAULT true,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, tenant_id, id),
    UNIQUE (org_id, uid),
    CONSTRAINT budgets_scoped CHECK (scope = 'organization' OR scope_id <> '')
);

COMMENT ON COLUMN budgets.tenant_id IS 'Whose spending it limits; empty: of every tenant of the organisation.';

COMMENT ON COLUMN budgets.uid IS 'A budget that is made anew under an old id starts with counters of its own.';

CALL axonflow_isolate('budgets');

CALL axonflow_watch('budgets', 'axonflow_budgets');

GRANT SELECT, INSERT, UPDATE, DELETE ON budgets TO axonflow_app;

GRANT SELECT ON budgets TO axonflow_platform;

CREATE TABLE IF NOT EXISTS budget_counters (
    org_id text NOT NULL,
    budget_uid uuid NOT NULL,
    period_start timestamptz NOT NULL,
    spent_usd numeric(20, 8) NOT NULL DEFAULT 0,
    held_usd numeric(20, 8) NOT NULL DEFAULT 0 CHECK (held_usd >= 0),
    PRIMARY KEY (org_id, budget_uid, period_start)
) WITH (fillfactor = 50);

COMMENT ON TABLE budget_counters IS
    'No foreign key: a hold that meets the end of its budget goes on without it. Spent may pass the limit: it is true.';

CALL axonflow_isolate('budget_counters');

GRANT SELECT, INSERT, UPDATE, DELETE ON budget_counters TO axonflow_app;

CREATE TABLE IF NOT EXISTS budget_holds (
    org_id text NOT NULL,
    id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    estimate_usd numeric(20, 8) NOT NULL CHECK (estimate_usd >= 0),
    budget_uids uuid[] NOT NULL,
    budget_periods timestamptz[] NOT NULL,
    record jsonb NOT NULL,
    PRIMARY KEY (org_id, id)
);

COMMENT ON COLUMN budget_holds.created_at IS 'The moment whose periods the call is charged to, whenever it is settled.';

COMMENT ON COLUMN budget_holds.record IS 'The usage record that is written if nobody settles: who, which call, where to.';

CREATE INDEX IF NOT EXISTS budget_holds_by_expiry ON budget_holds (expires_at);

CALL axonflow_isolate('budget_holds');

GRANT SELECT, INSERT, UPDATE, DELETE ON budget_holds TO axonflow_app;

GRANT SELECT ON budget_holds TO axonflow_platform;

CREATE TABLE IF NOT EXISTS budget_alerts (
    org_id text NOT NULL,
    budget_uid uuid NOT NULL,
    period_start timestamptz NOT NULL,
    alert_type text NOT NULL CHECK (alert_type IN ('threshold_reached', 'budget_exceeded', 'budget_blocked')),
    threshold integer NOT NULL,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    percentage_reached numeric(20, 2) NOT NULL,
    amount_usd numeric(20, 8) NOT NULL,
    limit_usd numeric(20, 8) NOT NULL,
    acknowledged_by text,
    acknowledged_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, budget_uid, period_start, alert_type, threshold),
    UNIQUE (org_id, id)
);

CALL axonflow_isolate('budget_alerts');

GRANT SELECT, INSERT, UPDATE, DELETE ON budget_alerts TO axonflow_app;

CREATE TABLE IF NOT EXISTS usage_records (
    org_id text NOT NULL,
    created_at timestamptz NOT NULL,
    id uuid NOT NULL,
    tenant_id text NOT NULL DEFAULT '',
    client_id text NOT NULL DEFAULT '',
    user_id text NOT NULL DEFAULT '',
    team_id text NOT NULL DEFAULT '',
    agent_id text NOT NULL DEFAULT '',
    workflow_id text NOT NULL DEFAULT '',
    request_id text NOT NULL DEFAULT '',
    attempt integer NOT NULL DEFAULT 1,
    provider text NOT NULL DEFAULT '',
    model text NOT NULL DEFAULT '',
    request_type text NOT NULL DEFAULT '',
    tokens_in bigint NOT NULL DEFAULT 0,
    tokens_out bigint NOT NULL DEFAULT 0,
    cached_tokens bigint NOT NULL DEFAULT 0,
    reasoning_tokens bigint NOT NULL DEFAULT 0,
    cost_usd numeric(20, 8) NOT NULL DEFAULT 0,
    estimated boolean NOT NULL DEFAULT false,
    outcome text NOT NULL DEFAULT 'settled' CHECK (outcome IN ('settled', 'unknown')),
    latency_ms double precision NOT NULL DEFAULT 0,
    success boolean NOT NULL DEFAULT true,
    error text NOT NULL DEFAULT '',
    budget_uids uuid[] NOT NULL DEFAULT '{}',
    budget_periods timestamptz[] NOT NULL DEFAULT '{}',
    PRIMARY KEY (org_id, created_at, id)
) PARTITION BY RANGE (created_at);

COMMENT ON COLUMN usage_records.id IS 'That of the hold, where the call had one.';

COMMENT ON COLUMN usage_records.outcome IS
    'unknown: nobody settled the hold in time, and the provider may have been paid, so its estimate was charged.';

COMMENT ON COLUMN usage_records.budget_uids IS 'The budgets whose counters it was added to; budget_periods beside it.';

CREATE TABLE IF NOT EXISTS usage_records_default PARTITION OF usage_records DEFAULT;

ALTER TABLE usage_records_default ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CALL axonflow_isolate('usage_records');

-- Records are added and stay. The one change: an outcome that was unknown becomes known, once.
DROP POLICY IF EXISTS usage_known_once ON usage_records;

CREATE POLICY usage_known_once ON usage_records AS RESTRICTIVE FOR UPDATE TO axonflow_app
    USING (outcome = 'unknown') WITH CHECK (true);

GRANT SELECT, INSERT, UPDATE ON usage_records TO axonflow_app;

-- Periods begin at midnight in UTC; weeks on Monday.
CREATE OR REPLACE FUNCTION axonflow_period_start(period text, moment timestamptz) RETURNS timestamptz
LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT date_trunc(
        CASE period WHEN 'daily' THEN 'day' WHEN 'weekly' THEN 'week' WHEN 'monthly' THEN 'month'
            WHEN 'quarterly' THEN 'quarter' ELSE 'year' END, moment, 'UTC')
$$;

-- The budgets that a spender's calls count against, disabled ones too: a counter tells what was spent, whoever minds.
-- An application that names no agent is one itself, so agent budgets know clients by their ids.
CREATE OR REPLACE FUNCTION axonflow_budgets_of(spender_org text, spender jsonb) RETURNS SETOF budgets
LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT b.* FROM budgets b
    WHERE b.org_id = spender_org AND b.tenant_id IN ('', spender ->> 'tenant_id')
        AND CASE b.scope
            WHEN 'organization' THEN true
            WHEN 'team' THEN b.scope_id = spender ->> 'team_id'
            WHEN 'agent' THEN b.scope_id IN (spender ->> 'agent_id', spender ->> 'client_id')
            WHEN 'workflow' THEN b.scope_id = spender ->> 'workflow_id'
            ELSE b.scope_id = spender ->> 'user_id'
        END
$$;

-- Holds an estimate of every enabled budget that applies, or of none. Gives {"refused", "positions", "alerts"}.
-- Counters are locked in the order of their keys here and below, so nobody waits in a circle. The budgets are read
-- before and after the wait for them: what counts is how they stand when it is over.
CREATE OR REPLACE FUNCTION axonflow_hold_budgets(
    holder_org text, hold_id uuid, moment timestamptz, lifetime_s double precision, estimate numeric, usage jsonb
) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    positions jsonb;
    uids uuid[];
    periods timestamptz[];
    refused boolean;
    alerts jsonb := '[]';
BEGIN
    INSERT INTO budget_counters (org_id, budget_uid, period_start)
    SELECT holder_org, b.uid, axonflow_period_start(b.period, moment)
    FROM axonflow_budgets_of(holder_org, usage) b
    WHERE b.enabled AND NOT EXISTS (
        SELECT FROM budget_counters c WHERE c.org_id = holder_org AND c.budget_uid = b.uid
            AND c.period_start = axonflow_period_start(b.period, moment))
    ORDER BY b.uid
    ON CONFLICT DO NOTHING;

    PERFORM FROM budget_counters c
    JOIN axonflow_budgets_of(holder_org, usage) b
        ON c.budget_uid = b.uid AND c.period_start = axonflow_period_start(b.period, moment)
    WHERE c.org_id = holder_org AND b.enabled
    ORDER BY c.budget_uid, c.period_start
    FOR UPDATE OF c;

    SELECT coalesce(jsonb_agg(to_jsonb(p)), '[]'), array_agg(p.uid), array_agg(p.period_start),
        coalesce(bool_or(p.is_over AND p.on_exceed = 'block'), false)
    INTO positions, uids, periods, refused
    FROM (
        SELECT b.uid, b.id, b.name, b.tenant_id, b.on_exceed, b.period, c.period_start,
            b.limit_usd::text, c.spent_usd::text, c.held_usd::text,
            c.spent_usd + c.held_usd + estimate > b.limit_usd AS is_over
        FROM budget_counters c
        JOIN axonflow_budgets_of(holder_org, usage) b
            ON c.budget_uid = b.uid AND c.period_start = axonflow_period_start(b.period, moment)
        WHERE c.org_id = holder_org AND b.enabled
    ) p;

    IF refused THEN
        alerts := axonflow_raise_alerts(holder_org, uids, periods, ARRAY(
            SELECT (p ->> 'uid')::uuid FROM jsonb_array_elements(positions) p
            WHERE (p ->> 'is_over')::boolean AND p ->> 'on_exceed' = 'block'));
    ELSIF uids IS NOT NULL THEN
        UPDATE budget_counters c SET held_usd = c.held_usd + estimate
        FROM unnest(uids, periods) AS t (uid, period_start)
        WHERE c.org_id = holder_org AND c.budget_uid = t.uid AND c.period_start = t.period_start;
        INSERT INTO budget_holds (org_id, id, created_at, expires_at, estimate_usd, budget_uids, budget_periods, record)
        VALUES (holder_org, hold_id, moment, now() + make_interval(secs => lifetime_s), estimate, uids, periods, usage);
    END IF;
    RETURN jsonb_build_object('refused', refused, 'positions', positions, 'alerts', alerts)::text;
END $$;

-- Writes the alerts that the counters call for and that were not written in this period; gives the new ones.
CREATE OR REPLACE FUNCTION axonflow_raise_alerts(
    holder_org text, uids uuid[], periods timestamptz[], blocked uuid[]
) RETURNS jsonb
LANGUAGE sql
SET search_path = pg_catalog, public, pg_temp
AS $$
    WITH standing AS (
        SELECT b.uid, b.id, b.name, b.tenant_id, b.on_exceed, b.period, b.alert_thresholds, b.limit_usd,
            c.period_start, c.spent_usd, round(c.spent_usd * 100 / b.limit_usd, 2) AS percentage
        FROM unnest(uids, periods) AS t (uid, period_start)
        JOIN budgets b ON b.org_id = holder_org AND b.uid = t.uid AND b.enabled
        JOIN budget_counters c
            ON c.org_id = holder_org AND c.budget_uid = t.uid AND c.period_start = t.period_start
    ), due AS (
        SELECT s.*, 'threshold_reached' AS alert_type, h.threshold
        FROM standing s CROSS JOIN unnest(s.alert_thresholds) AS h (threshold)
        WHERE s.spent_usd * 100 >= h.threshold * s.limit_usd
        UNION ALL
        SELECT s.*, 'budget_exceeded', 100 FROM standing s WHERE s.spent_usd >= s.limit_usd
        UNION ALL
        SELECT s.*, 'budget_blocked', 100 FROM standing s WHERE s.uid = ANY (blocked)
    ), added AS (
        INSERT INTO budget_alerts
            (org_id, budget_uid, period_start, alert_type, threshold, percentage_reached, amount_usd, limit_usd)
        SELECT holder_org, d.uid, d.period_start, d.alert_type, d.threshold, d.percentage, d.spent_usd, d.limit_usd
        FROM due d
        WHERE NOT EXISTS (
            SELECT FROM budget_alerts a WHERE a.org_id = holder_org AND a.budget_uid = d.uid
                AND a.period_start = d.period_start AND a.alert_type = d.alert_type AND a.threshold = d.threshold)
        ON CONFLICT DO NOTHING
        RETURNING budget_uid, period_start, alert_type, threshold, id AS alert_id
    )
    SELECT coalesce(jsonb_agg(jsonb_build_object(
        'alert_id', a.alert_id, 'alert_type', a.alert_type, 'threshold', a.threshold, 'budget_id', s.id,
        'budget_name', s.name, 'tenant_id', s.tenant_id, 'on_exceed', s.on_exceed, 'period', s.period,
        'period_start', s.period_start, 'percentage', s.percentage::text, 'spent_usd', s.spent_usd::text,
        'limit_usd', s.limit_usd::text) ORDER BY s.id, a.alert_type DESC, a.threshold), '[]')
    FROM added a JOIN standing s ON s.uid = a.budget_uid AND s.period_start = a.period_start
$$;

-- Ends a hold and writes what the call cost, once, however often it is asked: counters, record, alerts. Gives the new
-- alerts. Without a hold, or for a budget that came after it, the cost is added all the same. A hold that was charged
-- because nobody settled it in time is corrected to the true cost. The lock is for those who make a budget: they add up
-- what was spent before it.
CREATE OR REPLACE FUNCTION axonflow_settle_usage(holder_org text, hold_id uuid, usage jsonb) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    hold budget_holds;
    charged usage_records;
    entry usage_records;
    uids uuid[] := '{}';
    periods timestamptz[] := '{}';
    released numeric := 0;
    added numeric;
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtextextended('axonflow budgets ' || holder_org, 0));
    entry := jsonb_populate_record(NULL::usage_records, usage);
    added := entry.cost_usd;

    IF hold_id IS NOT NULL THEN
        DELETE FROM budget_holds h WHERE h.org_id = holder_org AND h.id = hold_id RETURNING h.* INTO hold;
    END IF;
    IF hold.id IS NOT NULL THEN
        uids := hold.budget_uids;
        periods := hold.budget_periods;
        released := hold.estimate_usd;
    ELSE
        SELECT r.* INTO charged FROM usage_records r
        WHERE r.org_id = holder_org AND r.created_at = entry.created_at AND r.id = entry.id AND r.outcome = 'unknown'
        FOR UPDATE;
        IF charged.id IS NOT NULL THEN
            uids := charged.budget_uids;
            periods := charged.budget_periods;
            added := added - charged.cost_usd;
        ELSIF EXISTS (
            SELECT FROM usage_records r
            WHERE r.org_id = holder_org AND r.created_at = entry.created_at AND r.id = entry.id
        ) THEN
            RETURN '[]';
        END IF;
    END IF;

    SELECT uids || coalesce(array_agg(b.uid), '{}'),
        periods || coalesce(array_agg(axonflow_period_start(b.period, entry.created_at)), '{}')
    INTO uids, periods
    FROM axonflow_budgets_of(holder_org, usage) b WHERE NOT b.uid = ANY (uids);

    IF charged.id IS NULL THEN
        INSERT INTO budget_counters (org_id, budget_uid, period_start)
        SELECT holder_org, t.uid, t.period_start FROM unnest(uids, periods) AS t (uid, period_start)
        JOIN budgets b ON b.org_id = holder_org AND b.uid = t.uid
        WHERE NOT EXISTS (
            SELECT FROM budget_counters c
            WHERE c.org_id = holder_org AND c.budget_uid = t.uid AND c.period_start = t.period_start)
        ORDER BY t.uid, t.period_start
        ON CONFLICT DO NOTHING;
    END IF;
    PERFORM FROM budget_counters c JOIN unnest(uids, periods) AS t (uid, period_start)
        ON c.budget_uid = t.uid AND c.period_start = t.period_start
    WHERE c.org_id = holder_org ORDER BY c.budget_uid, c.period_start FOR UPDATE OF c;
    UPDATE budget_counters c SET spent_usd = c.spent_usd + added,
        held_usd = c.held_usd - CASE WHEN c.budget_uid = ANY (hold.budget_uids) THEN released ELSE 0 END
    FROM unnest(uids, periods) AS t (uid, period_start)
    WHERE c.org_id = holder_org AND c.budget_uid = t.uid AND c.period_start = t.period_start;

    entry.org_id := holder_org;
    entry.budget_uids := uids;
    entry.budget_periods := periods;
    IF charged.id IS NULL THEN
        INSERT INTO usage_records SELECT entry.*;
    ELSE
        UPDATE usage_records r SET provider = entry.provider, model = entry.model, request_type = entry.request_type,
            tokens_in = entry.tokens_in, tokens_out = entry.tokens_out, cached_tokens = entry.cached_tokens,
            reasoning_tokens = entry.reasoning_tokens, cost_usd = entry.cost_usd, estimated = entry.estimated,
            outcome = entry.outcome, latency_ms = entry.latency_ms, success = entry.success, error = entry.error,
            budget_uids = uids, budget_periods = periods
        WHERE r.org_id = holder_org AND r.created_at = entry.created_at AND r.id = entry.id;
    END IF;
    RETURN axonflow_raise_alerts(holder_org, uids, periods, '{}')::text;
END $$;

-- Gives a hold back: nothing was sent. True also where it is gone already; a charge made meanwhile is taken back, and its
-- record stays with no cost.
CREATE OR REPLACE FUNCTION axonflow_release_hold(holder_org text, hold_id uuid, moment timestamptz) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    hold budget_holds;
    charged usage_records;
BEGIN
    DELETE FROM budget_holds h WHERE h.org_id = holder_org AND h.id = hold_id RETURNING h.* INTO hold;
    IF hold.id IS NULL THEN
        SELECT r.* INTO charged FROM usage_records r
        WHERE r.org_id = holder_org AND r.created_at = moment AND r.id = hold_id AND r.outcome = 'unknown' FOR UPDATE;
        UPDATE usage_records r SET cost_usd = 0, outcome = 'settled', error = 'released: nothing was sent'
        WHERE r.org_id = holder_org AND r.created_at = moment AND r.id = hold_id AND r.outcome = 'unknown';
    END IF;
    PERFORM FROM budget_counters c
    JOIN unnest(coalesce(hold.budget_uids, charged.budget_uids), coalesce(hold.budget_periods, charged.budget_periods))
        AS t (uid, period_start) ON c.budget_uid = t.uid AND c.period_start = t.period_start
    WHERE c.org_id = holder_org ORDER BY c.budget_uid, c.period_start FOR UPDATE OF c;
    UPDATE budget_counters c SET held_usd = c.held_usd - coalesce(hold.estimate_usd, 0),
        spent_usd = c.spent_usd - coalesce(charged.cost_usd, 0)
    FROM unnest(coalesce(hold.budget_uids, charged.budget_uids), coalesce(hold.budget_periods, charged.budget_periods))
        AS t (uid, period_start)
    WHERE c.org_id = holder_org AND c.budget_uid = t.uid AND c.period_start = t.period_start;
END $$;

-- Charges the estimate of one hold that outlived its time; gives the new alerts, or null when there is none left that
-- nobody else is at.
CREATE OR REPLACE FUNCTION axonflow_charge_expired(holder_org text) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    hold budget_holds;
BEGIN
    SELECT h.* INTO hold FROM budget_holds h
    WHERE h.org_id = holder_org AND h.expires_at < now() ORDER BY h.expires_at LIMIT 1 FOR UPDATE SKIP LOCKED;
    IF hold.id IS NULL THEN
        RETURN NULL;
    END IF;
    RETURN axonflow_settle_usage(holder_org, hold.id, hold.record || jsonb_build_object(
        'id', hold.id, 'created_at', hold.created_at, 'cost_usd', hold.estimate_usd, 'estimated', true,
        'outcome', 'unknown', 'success', false, 'error', 'not settled in time: the estimate was charged'));
END $$;

REVOKE ALL ON FUNCTION axonflow_period_start(text, timestamptz) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION axonflow_period_start(text, timestamptz) TO axonflow_app;

REVOKE ALL ON FUNCTION axonflow_budgets_of(text, jsonb) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION axonflow_budgets_of(text, jsonb) TO axonflow_app;

REVOKE ALL ON FUNCTION axonflow_hold_budgets(text, uuid, timestamptz, double precision, numeric, jsonb) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION axonflow_hold_budgets(text, uuid, timestamptz, double precision, numeric, jsonb) TO axonflow_app;

REVOKE ALL ON FUNCTION axonflow_raise_alerts(text, uuid[], timestamptz[], uuid[]) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION axonflow_raise_alerts(text, uuid[], timestamptz[], uuid[]) TO axonflow_app;

REVOKE ALL ON FUNCTION axonflow_settle_usage(text, uuid, jsonb) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION axonflow_settle_usage(text, uuid, jsonb) TO axonflow_app;

REVOKE ALL ON FUNCTION axonflow_release_hold(text, uuid, timestamptz) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION axonflow_release_hold(text, uuid, timestamptz) TO axonflow_app;

REVOKE ALL ON FUNCTION axonflow_charge_expired(text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION axonflow_charge_expired(text) TO axonflow_app;
