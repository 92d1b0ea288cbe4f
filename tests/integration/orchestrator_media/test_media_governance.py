"""Media governance over HTTP: who has it, who changes it, what is exported, and what the desk fetches and asks."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from axonflow_contracts.caller import Caller, CallerKind
from axonflow_contracts.errors import Fault
from axonflow_orchestrator.media.records import MediaItem
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import Receive, Scope, Send
from support.pictures import item, plain, saying
from support.postgres import Server
from support.record import BROKERS, ORG, RIVAL, TELLERS, Record, running_record
from support.serving import plain_app, served

pytestmark = pytest.mark.asyncio(loop_scope="module")

BASE = "/api/v1/media-governance"
ANALYSER_KEY = "canary-analyser-key-77"
OPERATOR = Caller(org_id=ORG, tenant_id="", client_id="portal", kind=CallerKind.SERVICE)
PHOTO = saying("image/jpeg", b"by Ann, SSN 123-45-6789")
TOLD = {"media_index": 0, "sha256_hash": "ab" * 32, "warnings": ["=cmd()"], "pii_types": ["ssn"], "has_pii": True}


async def outside(scope: Scope, receive: Receive, send: Send) -> None:
    """Pictures on the web, and an analyser: it sees what its key lets it."""
    request = Request(scope, receive)
    body = await request.body()
    answers: dict[str, Response] = {
        "/a.png": Response(plain("image/png"), media_type="text/plain"),
        "/moved.png": RedirectResponse("/a.png"),
        "/huge.png": Response(b"\0" * (21 << 20)),
        "/look": Response(msgspec.json.encode({"nsfw_score": 0.9, "text": f"{len(body)} bytes"})),
    }
    answer = answers.get(request.url.path, Response(status_code=404))
    if request.url.path == "/look" and request.headers.get("authorization") != f"Bearer {ANALYSER_KEY}":
        answer = Response(status_code=401)
    await answer(scope, receive, send)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def port() -> AsyncIterator[int]:
    async with served(plain_app(outside)) as port:
        yield port


@pytest.fixture(scope="module")
def database_url(postgres_server: Server) -> Any:
    with postgres_server.database() as url:
        yield url


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def record(database_url: str, port: int, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Record]:
    settings = {
        "AXONFLOW_EGRESS_ALLOW": "127.0.0.1",
        "MEDIA_ANALYZER_URL": f"http://127.0.0.1:{port}/look",
        "MEDIA_ANALYZER_KEY": ANALYSER_KEY,
    }
    async with running_record(database_url, tmp_path_factory.mktemp("media"), **settings) as record:
        yield record


async def changed(record: Record, caller: Caller = TELLERS, **body: Any) -> Any:
    answer = await record.ask("PUT", f"{BASE}/config", body, caller=caller)
    assert answer.status == 200, answer.body
    return answer.json


async def analysed(record: Record, *media: dict[str, str], tenant_id: str = "clerks") -> Any:
    return await record.orchestrator.media.analyse(ORG, tenant_id, msgspec.convert(media, list[MediaItem]))


async def until_enabled(record: Record, tenant_id: str, *, enabled: bool) -> None:
    """Wait until a change has come round to the desk."""
    async with asyncio.timeout(5):
        while record.orchestrator.media_switch.choice_for(ORG, tenant_id).enabled is not enabled:
            await asyncio.sleep(0.01)


async def test_enterprise_has_it_and_tenants_choose(record: Record) -> None:
    status = await record.ask("GET", f"{BASE}/status")
    assert status.json == {
        "available": True, "enabled_by_default": True, "per_tenant_control": True, "tier": "enterprise",
    }  # fmt: skip
    config = await record.ask("GET", f"{BASE}/config", caller=BROKERS)
    assert config.json == {
        "tenant_id": "brokers", "enabled": True, "allowed_analyzers": [], "updated_at": "", "updated_by": "",
    }  # fmt: skip


async def test_a_change_holds_for_its_tenant_alone_leaves_a_row_and_turns_the_desk(record: Record) -> None:
    await analysed(record, item(PHOTO, "image/jpeg"), tenant_id="tellers")
    made = await changed(record, enabled=False, allowed_analyzers=["nsfw", "pii"])
    assert (made["tenant_id"], made["enabled"], made["updated_by"]) == ("tellers", False, "teller-app")
    assert (await record.ask("GET", f"{BASE}/config")).json == made
    for stranger in (BROKERS, RIVAL):
        assert (await record.ask("GET", f"{BASE}/config", caller=stranger)).json["enabled"] is True
    await until_enabled(record, "tellers", enabled=False)
    with pytest.raises(Fault, match="not enabled"):
        await analysed(record, item(PHOTO, "image/jpeg"), tenant_id="tellers")
    assert (await changed(record, enabled=True))["allowed_analyzers"] == ["nsfw", "pii"]
    await until_enabled(record, "tellers", enabled=True)
    async with record.orchestrator.database.tenant(ORG) as connection:
        statement = (
            "SELECT verdict, tenant_id, metadata->>'enabled' FROM audit_logs"
            " WHERE request_type = 'media_governance_change' ORDER BY created_at"
        )
        rows = await (await connection.execute(statement)).fetchall()
    assert rows == [("blocked", "tellers", "false"), ("allowed", "tellers", "true")]


@pytest.mark.parametrize(
    ("body", "caller", "status"),
    [
        ({"allowed_analyzers": ["nsfw", "astrology"]}, TELLERS, 400),
        ({"allowed_analyzers": ["nsfw", "nsfw"]}, TELLERS, 400),
        ({"enabled": "yes"}, TELLERS, 400),
        (b"[]", TELLERS, 400),
        (b'{"enabled": true, "enabled": false}', TELLERS, 400),
        ({"enabled": True}, OPERATOR, 400),
        (
            {"enabled": True},
            msgspec.structs.replace(TELLERS, user=msgspec.structs.replace(TELLERS.user, id="u", role="viewer")),
            403,
        ),
        ({"enabled": True}, None, 401),
    ],
)
async def test_what_is_no_change_of_ones_own_changes_nothing(
    record: Record, body: Any, caller: Caller | None, status: int
) -> None:
    before = (await record.ask("GET", f"{BASE}/config")).json
    answer = await record.ask("PUT", f"{BASE}/config", body, caller=caller)
    assert (answer.status, set(answer.json)) == (status, {"error"})
    assert (await record.ask("GET", f"{BASE}/config")).json == before


@pytest.mark.parametrize(
    ("mode", "said", "has_it"),
    [("community", "", False), ("community", "true", True), ("evaluation", "", True), ("enterprise", "false", False)],
)
async def test_editions_and_the_operator_decide_first(
    record: Record, tmp_path: Path, mode: str, said: str, *, has_it: bool
) -> None:
    await changed(record, BROKERS, enabled=not has_it)  # a choice from a higher edition, which does nothing here
    url = record.orchestrator.settings.owner_dsn.reveal()
    async with running_record(url, tmp_path, mode, MEDIA_GOVERNANCE_ENABLED=said) as other:
        told = (await other.ask("GET", f"{BASE}/status", caller=BROKERS)).json
        assert tuple(told.values()) == (has_it, has_it, False, mode)
        assert (await other.ask("GET", f"{BASE}/config", caller=BROKERS)).json["enabled"] is has_it
        assert other.orchestrator.media_switch.choice_for(ORG, "brokers").enabled is has_it
        refused = await other.ask("PUT", f"{BASE}/config", {"enabled": True}, caller=BROKERS)
        code = "MEDIA_NOT_ENABLED" if mode == "enterprise" else "TIER_RESTRICTED"
        assert (refused.status, refused.json["error"]["code"]) == (403, code)
        export = await other.ask("GET", f"{BASE}/audit/export", caller=BROKERS)
        assert export.status == (200 if mode == "enterprise" else 403)
        assert mode == "enterprise" or export.json["error"]["code"] == "ENTERPRISE_REQUIRED"


async def test_the_export_has_an_entry_for_each_image_of_ones_own_calls_within_the_window(record: Record) -> None:
    now = datetime.now(UTC)
    media = {"results": [TOLD, {**TOLD, "media_index": 1}], "total_cost_usd": 0.5, "analysis_time_ms": 3}
    mine = await record.write(metadata={"media": media}, verdict="blocked", created_at=now - timedelta(days=1))
    old = await record.write(metadata={"media": media}, created_at=now - timedelta(days=8))
    await record.write(metadata={"media": media}, tenant_id="brokers", created_at=now - timedelta(days=1))
    await record.write(created_at=now - timedelta(days=1))
    answer = await record.ask("GET", f"{BASE}/audit/export")
    assert answer.headers["content-type"] == "application/json"
    assert [(entry["id"], entry["media_index"]) for entry in answer.json["entries"]] == [(mine.id, 0), (mine.id, 1)]
    assert (answer.json["count"], answer.json["truncated"]) == (2, False)
    assert answer.json["entries"][0]["pii_types"] == ["ssn"]
    since = (now - timedelta(days=9)).isoformat().replace("+00:00", "Z")
    asked = f"{BASE}/audit/export?format=csv&start_time={since}"
    rows = list(csv.DictReader(io.StringIO((await record.ask("GET", asked)).body.decode())))
    assert [row["id"] for row in rows] == [mine.id, mine.id, old.id, old.id]
    assert not [row for row in rows if row["warnings"].startswith("=")]
    assert len((await record.ask("GET", f"{BASE}/audit/export", caller=OPERATOR)).json["entries"]) == 4
    assert (await record.ask("GET", f"{BASE}/audit/export", caller=RIVAL)).json["entries"] == []


@pytest.mark.parametrize("query", ["format=xml", "start_time=soon", "start_time=2026-02-01&end_time=2026-01-01"])
async def test_an_export_that_is_not_understood_is_refused(record: Record, query: str) -> None:
    assert (await record.ask("GET", f"{BASE}/audit/export?{query}")).status == 400


async def test_an_export_ends_at_ten_thousand_entries_and_says_so(record: Record) -> None:
    clerks = msgspec.structs.replace(TELLERS, tenant_id="clerks")
    media = {"results": [TOLD] * 2500}
    for _ in range(5):
        await record.write(metadata={"media": media}, tenant_id="clerks")
    answer = await record.ask("GET", f"{BASE}/audit/export", caller=clerks)
    assert (len(answer.json["entries"]), answer.json["count"], answer.json["truncated"]) == (10_000, 10_000, True)
    lines = (await record.ask("GET", f"{BASE}/audit/export?format=csv", caller=clerks)).body.splitlines()
    assert len(lines) == 10_001


async def test_pictures_are_fetched_and_shown_to_the_analyser_under_its_key(record: Record, port: int) -> None:
    fetched = {"source": "url", "url": f"http://127.0.0.1:{port}/a.png", "mime_type": "image/png"}
    verdict = await analysed(record, fetched, item(PHOTO, "image/jpeg"))
    assert [image.mime_type for image in verdict.images] == ["image/png", "image/jpeg"]
    assert verdict.facts["nsfw_score"] == [0.9, 0.9]
    assert verdict.texts[0] == f"{len(plain('image/png'))} bytes"
    assert verdict.analysis.results[1].pii_types == ("ssn",)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("127.0.0.1:{port}/moved.png", "answered 307"),
        ("127.0.0.1:{port}/none.png", "answered 404"),
        ("127.0.0.1:{port}/huge.png", "larger than 20 MiB"),
        ("127.0.0.2:{port}/a.png", "refused"),
        ("127.0.0.1:1/a.png", "unreachable"),
    ],
)
async def test_what_cannot_be_fetched_refuses_the_call(record: Record, port: int, address: str, said: str) -> None:
    media = {"source": "url", "url": f"http://{address.format(port=port)}", "mime_type": "image/png"}
    with pytest.raises(Fault, match=said) as refused:
        await analysed(record, media)
    assert refused.value.status == 400
