-- Reads of the record as pages, and the replies that an Idempotency-Key repeats (orchestrator contract §1.13, §2.7).

-- Pages of a tenant's rows by time; those of a whole organisation use the primary key.
CREATE INDEX IF NOT EXISTS audit_logs_by_tenant ON audit_logs (org_id, tenant_id, created_at, id);

-- Few rows have a match, and most questions about policies are about those.
CREATE INDEX IF NOT EXISTS audit_logs_matched
    ON audit_logs (org_id, tenant_id, created_at, id) WHERE matched_policies <> '[]'::jsonb;

-- What was stopped, masked or failed is asked for most, and is rare as well.
CREATE INDEX IF NOT EXISTS audit_logs_not_allowed
    ON audit_logs (org_id, tenant_id, created_at, id) WHERE verdict <> 'allowed';

-- The key of nearly every row is its decision id, which has an index.
CREATE INDEX IF NOT EXISTS audit_logs_by_own_id ON audit_logs (org_id, id) WHERE id <> decision_id;

CREATE TABLE IF NOT EXISTS idempotency_keys (
    org_id text NOT NULL,
    tenant_id text NOT NULL,
    endpoint text NOT NULL,
    key text NOT NULL,
    request_hash text NOT NULL,
    holder uuid NOT NULL,
    held_until timestamptz NOT NULL,
    status_code integer,
    content_type text,
    response_body bytea,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (org_id, tenant_id, endpoint, key),
    CONSTRAINT idempotency_keys_reply CHECK ((status_code IS NULL) = (response_body IS NULL))
);

COMMENT ON COLUMN idempotency_keys.holder IS 'The attempt that works on the call; it alone may store the reply.';

COMMENT ON COLUMN idempotency_keys.status_code IS 'Null while the call is under way.';

CREATE INDEX IF NOT EXISTS idempotency_keys_by_expiry ON idempotency_keys (org_id, expires_at);

CALL axonflow_isolate('idempotency_keys');

GRANT SELECT, INSERT, UPDATE, DELETE ON idempotency_keys TO axonflow_app;
