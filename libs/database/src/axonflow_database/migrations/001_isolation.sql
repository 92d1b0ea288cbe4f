-- How every table is closed: helpers that later migrations call, and the counters that announce changes.
-- Every statement of every migration may run twice: a crash can fall between the work and its mark.

GRANT USAGE ON SCHEMA public TO axonflow_app, axonflow_audit_writer, axonflow_platform;

-- Forces row security and admits: the app role to the rows of its organisation, the platform role to read all of
-- them, and the owner to rows that have no organisation yet (migration 094 gives them one).
CREATE OR REPLACE PROCEDURE axonflow_isolate(tenant_table regclass)
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', tenant_table);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', tenant_table);
    EXECUTE format('DROP POLICY IF EXISTS tenant_isolation ON %s', tenant_table);
    EXECUTE format(
        'CREATE POLICY tenant_isolation ON %s TO axonflow_app '
        'USING (org_id = nullif(current_setting(''app.current_org_id'', true), ''''))',
        tenant_table);
    EXECUTE format('DROP POLICY IF EXISTS platform_read ON %s', tenant_table);
    EXECUTE format('CREATE POLICY platform_read ON %s FOR SELECT TO axonflow_platform USING (true)', tenant_table);
    EXECUTE format('DROP POLICY IF EXISTS unowned_rows ON %s', tenant_table);
    EXECUTE format(
        'CREATE POLICY unowned_rows ON %s TO %I USING (org_id = '''') WITH CHECK (true)', tenant_table, current_user);
END $$;

REVOKE ALL ON PROCEDURE axonflow_isolate(regclass) FROM PUBLIC;

-- One row for each kind of thing that processes hold in memory; the number grows with every committed change.
-- A row and not a sequence: a sequence shows its new number before the change can be read.
CREATE TABLE IF NOT EXISTS revisions (
    name text PRIMARY KEY,
    revision bigint NOT NULL DEFAULT 0,
    changed_at timestamptz NOT NULL DEFAULT now()
);

GRANT SELECT ON revisions TO axonflow_app, axonflow_platform;

CREATE OR REPLACE FUNCTION axonflow_announce() RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    changed boolean;
    reached bigint;
BEGIN
    IF TG_OP = 'DELETE' THEN
        changed := EXISTS (SELECT FROM old_rows);
    ELSE
        changed := EXISTS (SELECT FROM new_rows);
    END IF;
    IF changed THEN
        INSERT INTO revisions AS r (name, revision) VALUES (TG_ARGV[0], 1)
        ON CONFLICT (name) DO UPDATE SET revision = r.revision + 1, changed_at = now()
        RETURNING r.revision INTO reached;
        PERFORM pg_notify(TG_ARGV[0], reached::text);
    END IF;
    RETURN NULL;
END $$;

REVOKE ALL ON FUNCTION axonflow_announce() FROM PUBLIC;

-- Makes the changes of a table known: counted in revisions, told on the channel of the same name.
CREATE OR REPLACE PROCEDURE axonflow_watch(watched regclass, channel text)
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    INSERT INTO revisions (name) VALUES (channel) ON CONFLICT DO NOTHING;
    EXECUTE format(
        'CREATE OR REPLACE TRIGGER announce_insert AFTER INSERT ON %s REFERENCING NEW TABLE AS new_rows '
        'FOR EACH STATEMENT EXECUTE FUNCTION axonflow_announce(%L)', watched, channel);
    EXECUTE format(
        'CREATE OR REPLACE TRIGGER announce_update AFTER UPDATE ON %s REFERENCING NEW TABLE AS new_rows '
        'FOR EACH STATEMENT EXECUTE FUNCTION axonflow_announce(%L)', watched, channel);
    EXECUTE format(
        'CREATE OR REPLACE TRIGGER announce_delete AFTER DELETE ON %s REFERENCING OLD TABLE AS old_rows '
        'FOR EACH STATEMENT EXECUTE FUNCTION axonflow_announce(%L)', watched, channel);
END $$;

REVOKE ALL ON PROCEDURE axonflow_watch(regclass, text) FROM PUBLIC;
