-- Compiled sets by content: a decision names the hash of its set, so it can be evaluated again.

CREATE TABLE IF NOT EXISTS policy_sets (
    org_id text NOT NULL DEFAULT '@system',
    hash text NOT NULL,
    catalogue_version integer NOT NULL,
    engine text NOT NULL,
    document jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, hash)
);

CALL axonflow_isolate('policy_sets');

DROP POLICY IF EXISTS system_read ON policy_sets;

CREATE POLICY system_read ON policy_sets FOR SELECT TO axonflow_app USING (org_id = '@system');

DROP POLICY IF EXISTS platform_insert ON policy_sets;

CREATE POLICY platform_insert ON policy_sets FOR INSERT TO axonflow_platform WITH CHECK (true);

GRANT SELECT, INSERT ON policy_sets TO axonflow_app, axonflow_platform;

-- What the matching engine wrote out for a set, so that the next process need not compile. Loading a dump trusts it,
-- so only the platform role writes one.
CREATE TABLE IF NOT EXISTS policy_dumps (
    dump_key bytea PRIMARY KEY,
    dump bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

GRANT SELECT, INSERT, DELETE ON policy_dumps TO axonflow_platform;
