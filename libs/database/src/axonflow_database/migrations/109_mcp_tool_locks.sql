-- The tools of upstream MCP servers, each pinned by what an administrator accepted of it. The orchestrator writes.

CREATE TABLE IF NOT EXISTS mcp_tool_locks (
    org_id text NOT NULL,
    connector_id uuid NOT NULL,
    tool text NOT NULL CHECK (tool <> ''),
    state text NOT NULL CHECK (state IN ('pending', 'accepted', 'quarantined', 'rejected')),
    access text NOT NULL CHECK (access IN ('read', 'write')),
    accepted jsonb,
    accepted_hash text,
    offered jsonb NOT NULL,
    offered_hash text NOT NULL,
    flags jsonb NOT NULL DEFAULT '[]',
    present boolean NOT NULL DEFAULT true,
    decided_by text,
    decided_at timestamptz,
    decided_reason text,
    first_seen_at timestamptz NOT NULL DEFAULT now(),
    changed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, connector_id, tool),
    FOREIGN KEY (org_id, connector_id) REFERENCES connectors (org_id, id) ON DELETE CASCADE,
    CONSTRAINT mcp_tool_locks_pin CHECK ((accepted IS NULL) = (accepted_hash IS NULL)),
    CONSTRAINT mcp_tool_locks_accepted CHECK (state <> 'accepted' OR accepted_hash = offered_hash)
);

COMMENT ON COLUMN mcp_tool_locks.offered IS 'What the server said last; accepted is what it said when it was accepted.';

COMMENT ON COLUMN mcp_tool_locks.present IS 'Whether the server offered it when it was last heard.';

CALL axonflow_isolate('mcp_tool_locks');

CALL axonflow_watch('mcp_tool_locks', 'axonflow_tool_locks');

GRANT SELECT, INSERT, UPDATE ON mcp_tool_locks TO axonflow_app;
