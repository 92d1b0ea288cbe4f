"""Migration 094: no production deployment under a default organisation, and an owner for every row."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from axonflow_database import MigrationError, migrate
from axonflow_database.backend import MIGRATION_TABLE, OwnerBackend, owner_uri
from axonflow_database.migrate import MIGRATIONS
from support.postgres import service_settings
from yoyo import read_migrations

UNOWNED_AUDIT = """
    INSERT INTO audit_logs (org_id, created_at, id, decision_id, tenant_id, plane, verdict)
    VALUES ('', now(), %s, 'd', %s, 'agent', 'allowed')
"""
UNOWNED_POLICY = """
    INSERT INTO static_policies (org_id, policy_id, name, category, tier, pattern, severity, action)
    VALUES ('', 'p', 'n', 'pii-global', 'tenant', 'x', 'low', 'log')
"""
OWNERS = "SELECT id, org_id FROM audit_logs ORDER BY id"


def execute(url: str, query: str, *params: object) -> None:
    with psycopg.connect(url) as owner:
        owner.execute(query, params)


def fetch(url: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as owner:
        return owner.execute(query).fetchall()


def forget_094(url: str) -> None:
    execute(url, "DELETE FROM _yoyo_migration WHERE migration_id = '094_deployment_guard'")


def apply_by_hand(url: str) -> None:
    """As yoyo's own command would: no session setting names the deployment."""
    with OwnerBackend(owner_uri(url, {}), MIGRATION_TABLE) as backend:
        for migration in backend.to_apply(read_migrations(str(MIGRATIONS))):
            backend.apply_one(migration)


@pytest.mark.parametrize("org_id", ["", "local-dev-org"])
@pytest.mark.parametrize("at", ["the first boot", "a later boot"])
def test_production_refuses_an_empty_or_default_organisation(
    request: pytest.FixtureRequest, org_id: str, at: str
) -> None:
    url = request.getfixturevalue("empty_database_url" if at == "the first boot" else "database_url")
    with pytest.raises(MigrationError) as refusal:
        migrate(service_settings(url, DEPLOYMENT_KIND="production", ORG_ID=org_id))
    assert "ORG_ID" in str(refusal.value)
    assert "DEPLOYMENT_KIND" in str(refusal.value)


def test_production_runs_with_an_organisation_of_its_own(empty_database_url: str) -> None:
    migrate(service_settings(empty_database_url, DEPLOYMENT_KIND="production", ORG_ID="acme"))
    assert fetch(empty_database_url, "SELECT org_id, tier, max_nodes FROM organizations") == [("acme", "Community", 2)]


def test_a_trial_runs_and_is_warned_once_a_boot(database_url: str, caplog: pytest.LogCaptureFixture) -> None:
    migrate(service_settings(database_url, ORG_ID="local-dev-org"))
    warnings = [record.getMessage() for record in caplog.records if record.name == "axonflow.database"]
    assert len(warnings) == 1
    assert "ORG_ID" in warnings[0]


def test_without_settings_and_without_unowned_rows_it_runs(empty_database_url: str) -> None:
    apply_by_hand(empty_database_url)
    assert fetch(empty_database_url, "SELECT count(*) FROM organizations") == [(0,)]


@pytest.mark.parametrize("unowned", [UNOWNED_POLICY, UNOWNED_AUDIT.replace("%s", "'x'")])
def test_without_settings_unowned_rows_stop_it(database_url: str, unowned: str) -> None:
    execute(database_url, unowned)
    forget_094(database_url)
    with pytest.raises(psycopg.DatabaseError, match="rows without an organisation and ORG_ID is not set") as refusal:
        apply_by_hand(database_url)
    assert refusal.value.sqlstate == "AX094"
    assert "DEPLOYMENT_KIND" in str(refusal.value)


def test_unowned_rows_get_their_owner_and_hosted_tenants_keep_their_own(database_url: str) -> None:
    for number, tenant in (("1", "cs_42"), ("2", "shop"), ("3", "csx")):
        execute(database_url, UNOWNED_AUDIT, number, tenant)
    execute(database_url, UNOWNED_POLICY)
    forget_094(database_url)
    migrate(service_settings(database_url, ORG_ID="acme"))
    assert fetch(database_url, OWNERS) == [("1", "cs_42"), ("2", "acme"), ("3", "acme")]
    assert fetch(database_url, "SELECT org_id FROM static_policies WHERE policy_id = 'p'") == [("acme",)]


def test_a_new_organisation_id_is_seeded_at_the_next_boot(database_url: str) -> None:
    migrate(service_settings(database_url, ORG_ID="acme"))
    assert ("acme",) in fetch(database_url, "SELECT org_id FROM organizations")


def test_a_refused_boot_applies_nothing_new(database_url: str) -> None:
    execute(database_url, "DELETE FROM _yoyo_migration")
    with pytest.raises(MigrationError):
        migrate(service_settings(database_url, DEPLOYMENT_KIND="production"))
    assert fetch(database_url, "SELECT count(*) FROM _yoyo_migration") == [(0,)]
