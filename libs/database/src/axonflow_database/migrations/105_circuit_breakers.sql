-- Circuits: what an organisation has stopped, by hand or by counting; their history; and its tenants' thresholds.

CREATE TABLE IF NOT EXISTS circuit_breakers (
    org_id text NOT NULL,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    scope text NOT NULL CHECK (scope IN ('global', 'tenant', 'client', 'policy')),
    scope_id text NOT NULL DEFAULT '',
    state text NOT NULL DEFAULT 'closed' CHECK (state IN ('closed', 'open')),
    trip_reason text CHECK (trip_reason IN ('manual', 'policy_violation', 'risk_level', 'error_rate')),
    tripped_by text,
    tripped_by_email text,
    trip_comment text,
    tripped_at timestamptz,
    expires_at timestamptz,
    reset_by text,
    reset_at timestamptz,
    reset_comment text,
    error_count integer NOT NULL DEFAULT 0,
    violation_count integer NOT NULL DEFAULT 0,
    window_started_at timestamptz NOT NULL DEFAULT now(),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, scope, scope_id),
    UNIQUE (org_id, id),
    CONSTRAINT circuit_breakers_global CHECK ((scope = 'global') = (scope_id = '')),
    CONSTRAINT circuit_breakers_open CHECK (state = 'closed' OR tripped_at IS NOT NULL)
);

COMMENT ON COLUMN circuit_breakers.expires_at IS 'An open circuit refuses nothing after it; null: until somebody resets.';

COMMENT ON COLUMN circuit_breakers.window_started_at IS 'Since when errors and violations are counted.';

CALL axonflow_isolate('circuit_breakers');

GRANT SELECT, INSERT, UPDATE ON circuit_breakers TO axonflow_app;

GRANT SELECT ON circuit_breakers TO axonflow_platform;

CREATE TABLE IF NOT EXISTS circuit_breaker_history (
    org_id text NOT NULL,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    circuit_id uuid NOT NULL,
    scope text NOT NULL,
    scope_id text NOT NULL,
    state text NOT NULL CHECK (state IN ('closed', 'open')),
    trip_reason text,
    tripped_by text,
    tripped_at timestamptz,
    expires_at timestamptz,
    reset_by text,
    reset_at timestamptz,
    comment text,
    error_count integer NOT NULL,
    violation_count integer NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, id)
);

CREATE INDEX IF NOT EXISTS circuit_breaker_history_newest ON circuit_breaker_history (org_id, recorded_at DESC);

CALL axonflow_isolate('circuit_breaker_history');

-- A row is written when a circuit opens or closes, never when something is merely counted: this is what processes follow.
CALL axonflow_watch('circuit_breaker_history', 'axonflow_circuits');

GRANT SELECT, INSERT ON circuit_breaker_history TO axonflow_app;

CREATE TABLE IF NOT EXISTS circuit_breaker_config (
    org_id text NOT NULL,
    tenant_id text NOT NULL,
    error_threshold integer CHECK (error_threshold > 0),
    violation_threshold integer CHECK (violation_threshold > 0),
    window_seconds integer CHECK (window_seconds > 0),
    default_timeout_seconds integer CHECK (default_timeout_seconds > 0),
    max_timeout_seconds integer CHECK (max_timeout_seconds > 0),
    enable_auto_recovery boolean,
    updated_by text NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, tenant_id)
);

COMMENT ON TABLE circuit_breaker_config IS 'Null means: as the deployment has it.';

CALL axonflow_isolate('circuit_breaker_config');

GRANT SELECT, INSERT, UPDATE ON circuit_breaker_config TO axonflow_app;

GRANT SELECT ON circuit_breaker_config TO axonflow_platform;
