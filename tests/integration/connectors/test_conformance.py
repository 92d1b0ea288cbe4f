"""Every connector keeps the same promises, each against a server of its kind."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from axonflow_connectors import ConnectorFault, FaultKind, Rows
from support.connectors import ORG, ROWS, Backend, limited

# What a value must not be able to do: end a string, a path, a word, a header, a placeholder.
HOSTILE = [
    "it's",
    'a "quoted" \\ word',
    "'; DROP TABLE notes; --",
    "\\' OR 1=1 -- ",
    "%s %(text)s %%",
    ":text {text} $1 ?",
    "a b;c&d=e/f?g#h",
    "naïve ☃ 𝄞",
]


def texts(rows: Rows) -> str:
    return json.dumps(rows.rows, ensure_ascii=False)


async def test_a_test_says_what_answered(backend: Backend) -> None:
    async with backend.opened() as connector:
        health = await connector.health()
        assert health.healthy, health.error
        assert health.error is None
        assert health.latency_ms > 0
        assert all(isinstance(value, str) for value in (await connector.test()).values())


async def test_an_install_passes_the_check(backend: Backend) -> None:
    async with backend.registry() as registry:
        checked = await registry.check(
            backend.type, org_id=ORG, options=backend.options, credentials=backend.credentials
        )
    shown = repr(checked)
    assert all(secret not in shown for secret in backend.credentials.values())


async def test_a_read_gives_json_rows_whole_and_measured(backend: Backend) -> None:
    async with backend.opened() as connector:
        rows = await connector.query(backend.read_all)
    assert rows.row_count == len(rows.rows) == ROWS
    assert rows.truncated is None
    assert rows.duration_ms > 0
    assert abs(rows.bytes_read - len(json.dumps(rows.rows, separators=(",", ":")))) <= 1
    for number in range(ROWS):
        assert f"note {number}" in texts(rows)


async def test_the_row_limit_cuts_and_says_so(backend: Backend) -> None:
    async with backend.opened() as connector:
        rows = await connector.query(limited(backend.read_all, max_rows=3))
        assert (rows.row_count, rows.truncated) == (3, "rows")
        assert (await connector.query(limited(backend.read_all, max_rows=ROWS))).truncated is None
        assert (await connector.query(limited(backend.read_all, max_rows=0))).row_count == ROWS


async def test_the_byte_limit_cuts_or_refuses(backend: Backend) -> None:
    async with backend.opened() as connector:
        whole = await connector.query(backend.read_all)
        tight = limited(backend.read_all, max_bytes=max(40, whole.bytes_read // 2))
        if backend.cuts_bytes and backend.type != "slack":
            rows = await connector.query(tight)
            assert rows.truncated == "bytes"
            assert 0 < rows.row_count < ROWS
            assert rows.bytes_read <= tight.limits.max_bytes
        else:
            with pytest.raises(ConnectorFault) as fault:
                await connector.query(tight)
            assert fault.value.kind is FaultKind.TOO_LARGE
        assert (await connector.query(backend.read_all)).row_count == ROWS


async def test_a_write_is_refused_as_a_read_and_changes_nothing(backend: Backend) -> None:
    async with backend.opened() as connector:
        before = await connector.query(backend.read_all)
        with pytest.raises(ConnectorFault) as fault:
            await connector.query(backend.write_by_query)
        assert fault.value.kind is FaultKind.READ_ONLY
        after = await connector.query(backend.read_all)
    assert after.rows == before.rows


async def test_a_write_is_seen_by_the_next_read(backend: Backend) -> None:
    async with backend.opened() as connector:
        written = await connector.execute(backend.write("a new note"))
        assert written.rows_affected in {1, ROWS + 1, -1}
        rows = await connector.query(backend.read_all)
    assert rows.row_count == ROWS + 1
    assert "a new note" in texts(rows)


@pytest.mark.parametrize("value", HOSTILE)
async def test_a_value_stays_a_value(backend: Backend, value: str) -> None:
    async with backend.opened() as connector:
        await connector.execute(backend.write(value))
        rows = await connector.query(backend.read_all)
        assert rows.row_count == ROWS + 1
        assert value in [text for row in rows.rows for text in row.values()]
        if backend.find is not None:
            found = await connector.query(backend.find(value))
            assert found.row_count == 1
            assert value in found.rows[0].values()


async def test_a_read_that_takes_too_long_ends_and_the_next_one_works(backend: Backend) -> None:
    if backend.slow is None:
        return  # no command on this connector's lists can be made to wait
    async with backend.opened() as connector:
        with pytest.raises(ConnectorFault) as fault:
            await asyncio.wait_for(connector.query(limited(backend.slow(), timeout_s=0.3)), 10)
        assert fault.value.kind is FaultKind.TIMEOUT
        if backend.type in {"postgres", "mysql", "sqlite"}:
            assert (await connector.query(backend.read_all)).row_count == ROWS


async def test_a_cancelled_call_leaves_the_connector_usable(backend: Backend) -> None:
    async with backend.opened() as connector:
        call = asyncio.ensure_future(connector.query(backend.read_all))
        await asyncio.sleep(0)
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
        assert (await connector.query(backend.read_all)).row_count == ROWS


async def test_calls_run_side_by_side(backend: Backend) -> None:
    async with backend.opened() as connector:
        answers = await asyncio.gather(*(connector.query(backend.read_all) for _ in range(10)))
    assert {answer.row_count for answer in answers} == {ROWS}


async def test_wrong_credentials_are_named_as_such_and_shown_to_nobody(backend: Backend) -> None:
    if backend.wrong is None:
        return  # a file has none
    async with backend.opened(credentials=backend.wrong) as connector:
        with pytest.raises(ConnectorFault) as fault:
            await connector.query(backend.read_all)
        health = await connector.health()
    assert fault.value.kind is FaultKind.CREDENTIALS
    assert not health.healthy
    for text in (fault.value.message, health.error or ""):
        assert "wrong-secret" not in text
        assert "127.0.0.1" not in text


async def test_a_server_that_is_gone_is_said_without_its_address(backend: Backend) -> None:
    async with backend.opened(options=backend.gone) as connector:
        with pytest.raises(ConnectorFault) as fault:
            await connector.query(backend.read_all)
        health = await connector.health()
    assert fault.value.kind is FaultKind.UNREACHABLE
    assert not health.healthy
    assert health.error == fault.value.message
    for private in (*(str(value) for value in (backend.gone or {}).values()), "127.0.0.1", str(backend.sqlite_root)):
        assert private not in fault.value.message


async def test_an_address_that_is_refused_is_neither_installed_nor_dialled(backend: Backend) -> None:
    if backend.sqlite_root is not None:
        return  # a file has no address
    async with backend.registry(egress="") as registry:
        with pytest.raises(ConnectorFault) as refused:
            await registry.check(backend.type, org_id=ORG, options=backend.options, credentials=backend.credentials)
    assert refused.value.kind is FaultKind.EGRESS
    async with backend.opened(egress="") as connector:
        for call in (connector.query(backend.read_all), connector.execute(backend.write("x")), connector.test()):
            with pytest.raises(ConnectorFault) as fault:
                await call
            assert fault.value.kind is FaultKind.EGRESS


@pytest.mark.parametrize("statement", ["", " ", "\x00", "no such thing at all", "a" * 10_000])
async def test_a_statement_that_is_none_is_a_fault(backend: Backend, statement: str) -> None:
    async with backend.opened() as connector:
        for method in (connector.query, connector.execute):
            with pytest.raises(ConnectorFault) as fault:
                await method(limited(backend.read_all, timeout_s=10).__class__(statement=statement))
            assert fault.value.kind in {FaultKind.REQUEST, FaultKind.FAILED, FaultKind.READ_ONLY}
        assert (await connector.query(backend.read_all)).row_count == ROWS


@pytest.mark.parametrize(
    "parameters", [{"text": {"a": 1}}, {"text": ["x"]}, {"text": "\udcff"}, {"other": 1}, [object()]]
)
async def test_a_parameter_that_cannot_be_sent_is_a_fault(backend: Backend, parameters: Any) -> None:
    if backend.type == "http" and isinstance(parameters, dict):
        return  # a JSON body may hold any of them
    call = backend.write("x").__class__(statement=backend.write("x").statement, parameters=parameters)
    async with backend.opened() as connector:
        with pytest.raises(ConnectorFault) as fault:
            await connector.execute(call)
        assert fault.value.kind is FaultKind.REQUEST
        assert (await connector.query(backend.read_all)).row_count == ROWS


async def test_closing_twice_is_harmless(backend: Backend) -> None:
    async with backend.opened() as connector:
        await connector.query(backend.read_all)
        await connector.close()
        await connector.close()
