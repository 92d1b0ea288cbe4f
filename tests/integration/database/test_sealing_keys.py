"""The sealing key that community makes on first start, and the operator's own beside it."""

from __future__ import annotations

import pytest
from axonflow_database import Database, migrate, sealing_keys
from axonflow_sealing import Sealer, SealingContext
from support.postgres import service_settings

PLACE = SealingContext(org_id="acme", purpose="connector.credentials", row_id="crm")
SECRET = "s" * 32


async def test_community_makes_one_key_and_keeps_it(database_url: str) -> None:
    settings = service_settings(database_url)
    db = await Database.open(settings)
    try:
        keys = await sealing_keys(settings, db)
        assert len(keys) == 1
        assert keys == await sealing_keys(settings, db)
        sealed = Sealer(keys).seal(b"value", context=PLACE)
        own = service_settings(database_url, AXONFLOW_SEALING_KEY="ab" * 32)
        later = Sealer(await sealing_keys(own, db))
        assert later.open(sealed, context=PLACE) == b"value"
        assert not later.is_current(sealed)
    finally:
        await db.close()


async def test_another_mode_makes_no_key(empty_database_url: str) -> None:
    settings = service_settings(
        empty_database_url, DEPLOYMENT_MODE="enterprise", AXONFLOW_INTERNAL_SERVICE_SECRET=SECRET
    )
    migrate(settings)
    db = await Database.open(settings)
    try:
        assert await sealing_keys(settings, db) == ()
    finally:
        await db.close()


@pytest.mark.parametrize("name", ["AXONFLOW_SEALING_KEY", "CONNECTOR_ENCRYPTION_KEY"])
def test_a_key_may_come_from_either_variable(name: str) -> None:
    assert len(service_settings("postgresql://nowhere", **{name: "ab" * 32}).sealing_keys) == 1
