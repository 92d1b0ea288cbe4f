-- How an organisation shares its calls among model providers, as somebody set it at run time. The orchestrator writes and
-- every replica of it follows.

CREATE TABLE IF NOT EXISTS llm_routing (
    org_id text NOT NULL,
    scale text NOT NULL CHECK (scale IN ('share', 'weight')),
    weights jsonb NOT NULL CHECK (jsonb_typeof(weights) = 'object'),
    updated_by text NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id)
);

COMMENT ON COLUMN llm_routing.scale IS 'share: parts of 1, the rest for those unnamed; weight: as in definitions, which count for those unnamed.';

CALL axonflow_isolate('llm_routing');

CALL axonflow_watch('llm_routing', 'axonflow_llm_routing');

GRANT SELECT, INSERT, UPDATE ON llm_routing TO axonflow_app;

GRANT SELECT ON llm_routing TO axonflow_platform;
