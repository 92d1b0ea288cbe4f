"""The record as a file: whole, filtered, harmless to spreadsheets, and in constant memory."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta

import pytest
from axonflow_audit import pages
from axonflow_audit.filters import RecordFilter
from axonflow_contracts.errors import Fault
from axonflow_database import DatabaseUnavailable
from axonflow_orchestrator.audit.export import AuditExport, Form
from support.record import ORG, SSN, Record

EXPORT = "/api/v1/audit/export"


async def test_every_row_comes_once_page_by_page(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("axonflow_orchestrator.audit.export.ROWS_A_PAGE", 3)
    asked: list[int] = []
    read_page = pages.read_page

    async def counted(*args: object, **kwargs: int) -> object:
        asked.append(kwargs["limit"])
        return await read_page(*args, **kwargs)  # type: ignore[arg-type] # passed on as it came

    monkeypatch.setattr(pages, "read_page", counted)
    moment = datetime.now(UTC) - timedelta(minutes=1)
    written = {(await record.write(created_at=moment)).id for _ in range(10)}
    for form in ("jsonl", "csv"):
        asked.clear()
        reply = await record.ask("GET", f"{EXPORT}?format={form}")
        assert reply.status == 200
        text = reply.body.decode()
        found = (
            [json.loads(line) for line in text.splitlines()]
            if form == "jsonl"
            else list(csv.DictReader(io.StringIO(text, newline="")))
        )
        assert (len(found), {row["id"] for row in found}) == (10, written)
        assert asked == [3, 3, 3, 3]
        assert f'.{form}"' in reply.headers["content-disposition"]


async def test_a_file_has_the_rows_of_its_filter_alone(record: Record) -> None:
    await record.write()
    blocked = await record.write(verdict="blocked", matched_policies=(SSN,))
    for query in ("action=deny", "policy_name=ssn", "policy_id=sys_pii_ssn"):
        lines = (await record.ask("GET", f"{EXPORT}?format=jsonl&{query}")).body.splitlines()
        assert [json.loads(line)["id"] for line in lines] == [blocked.id]
    refused = await record.ask("GET", f"{EXPORT}?format=xml")
    assert (refused.status, refused.json["success"]) == (400, False)


async def test_no_cell_begins_a_formula(record: Record) -> None:
    texts = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =HYPERLINK(1)", "\uff1d1+1", 'say "hi",\r\nthen']
    for text in texts:
        await record.write(query=text, reason=text)
    reply = await record.ask("GET", f"{EXPORT}?format=csv")
    rows = list(csv.DictReader(io.StringIO(reply.body.decode(), newline="")))
    assert {row["query"] for row in rows} == {f"'{text}" for text in texts[:-1]} | {texts[-1]}
    assert not [cell for row in rows for cell in row.values() if cell.lstrip().startswith(("=", "+", "-", "@"))]


async def test_half_a_file_never_looks_whole(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("axonflow_orchestrator.audit.export.ROWS_A_PAGE", 1)
    for _ in range(2):
        await record.write()
    pieces = await AuditExport(record.orchestrator.database).open(RecordFilter(org_id=ORG, tenant_id=None), Form.JSONL)
    assert (await anext(pieces)).endswith(b"\n")

    async def gone(*_args: object, **_kwargs: object) -> object:
        raise DatabaseUnavailable

    monkeypatch.setattr(pages, "read_page", gone)
    with pytest.raises(Fault, match="cannot be read"):
        await anext(pieces)
