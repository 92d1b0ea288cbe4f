-- Which tenants have media governed, and how. The orchestrator writes; its processes follow.

CREATE TABLE IF NOT EXISTS media_governance_config (
    org_id text NOT NULL,
    tenant_id text NOT NULL CHECK (tenant_id <> ''),
    enabled boolean NOT NULL,
    allowed_analyzers text[] NOT NULL DEFAULT '{}',
    updated_at timestamptz NOT NULL DEFAULT now(),
    updated_by text NOT NULL,
    PRIMARY KEY (org_id, tenant_id)
);

COMMENT ON COLUMN media_governance_config.allowed_analyzers IS 'None means all.';

CALL axonflow_isolate('media_governance_config');

CALL axonflow_watch('media_governance_config', 'axonflow_media');

GRANT SELECT, INSERT, UPDATE ON media_governance_config TO axonflow_app;

GRANT SELECT ON media_governance_config TO axonflow_platform;

-- Calls with media are few among all, and are exported by themselves.
CREATE INDEX IF NOT EXISTS audit_logs_with_media ON audit_logs (org_id, created_at, id) WHERE metadata ? 'media';
