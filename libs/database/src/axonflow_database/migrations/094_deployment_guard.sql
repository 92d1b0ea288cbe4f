-- The production guard, and an owner for rows that have none. The migrator calls the guard at every boot as well.

-- Reads the session settings app.deployment_org_id and app.deployment_kind; raises AX094 when the deployment must not
-- run, its text a sentence for people.
CREATE OR REPLACE FUNCTION axonflow_deployment_guard() RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    org text := coalesce(current_setting('app.deployment_org_id', true), '');
    kind text := coalesce(current_setting('app.deployment_kind', true), '');
    tenant_table regclass;
    unowned boolean;
BEGIN
    IF kind = 'production' AND org IN ('', 'local-dev-org') THEN
        RAISE EXCEPTION USING ERRCODE = 'AX094', MESSAGE = format(
            'DEPLOYMENT_KIND=production needs an ORG_ID of your own, and ORG_ID is %s: set ORG_ID to the id of your '
            'organisation, or DEPLOYMENT_KIND=dev for a trial', coalesce(quote_literal(nullif(org, '')), 'empty'));
    END IF;
    IF org = '' THEN
        FOR tenant_table IN SELECT axonflow_owned_tables() LOOP
            EXECUTE format('SELECT EXISTS (SELECT FROM %s WHERE org_id = '''')', tenant_table) INTO unowned;
            IF unowned THEN
                RAISE EXCEPTION USING ERRCODE = 'AX094', MESSAGE = format(
                    'Table %s has rows without an organisation and ORG_ID is not set: set ORG_ID (and DEPLOYMENT_KIND) '
                    'so that these rows get their owner', tenant_table);
            END IF;
        END LOOP;
    ELSIF org = 'local-dev-org' THEN
        RAISE WARNING 'ORG_ID is local-dev-org, the default for trials; set ORG_ID and DEPLOYMENT_KIND=production '
            'before real data come in';
    END IF;
END $$;

-- Tables whose rows belong to an organisation; partitions are reached through their parents.
CREATE OR REPLACE FUNCTION axonflow_owned_tables() RETURNS SETOF regclass
LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT c.oid::regclass
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
        AND a.attname = 'org_id' AND NOT a.attisdropped
    ORDER BY c.relname
$$;

REVOKE ALL ON FUNCTION axonflow_deployment_guard() FROM PUBLIC;

REVOKE ALL ON FUNCTION axonflow_owned_tables() FROM PUBLIC;

DO $$
DECLARE
    org text := coalesce(current_setting('app.deployment_org_id', true), '');
    tenant_table regclass;
BEGIN
    PERFORM axonflow_deployment_guard();
    IF org = '' THEN
        RETURN;
    END IF;
    FOR tenant_table IN SELECT axonflow_owned_tables() LOOP
        -- A tenant of the hosted community edition is its own organisation.
        IF EXISTS (SELECT FROM pg_attribute WHERE attrelid = tenant_table AND attname = 'tenant_id') THEN
            EXECUTE format(
                'UPDATE %s SET org_id = tenant_id WHERE org_id = '''' AND tenant_id LIKE ''cs\_%%''', tenant_table);
        END IF;
        EXECUTE format('UPDATE %s SET org_id = $1 WHERE org_id = ''''', tenant_table) USING org;
    END LOOP;
END $$;
