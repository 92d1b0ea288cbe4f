"""What the HTTP-based connectors share: one request through outbound, statuses as faults, JSON as rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from axonflow_outbound import Answer, Outbound, parse_url

from axonflow_connectors.dialling import outbound_faults
from axonflow_connectors.faults import ConnectorFault, FaultKind
from axonflow_connectors.gathering import text_or_base64
from axonflow_connectors.protocol import Limits
from axonflow_connectors.specification import Endpoint

_UNLIMITED = 1 << 40


async def send(
    outbound: Outbound, method: str, url: str, *, headers: Mapping[str, str], limits: Limits, body: bytes | None = None
) -> Answer:
    """One request; any status below 400 is an answer.

    Raises:
        ConnectorFault: refused, failed, too large, or answered with an error.
    """
    with outbound_faults():
        answer = await outbound.request(
            method,
            url,
            headers=headers,
            body=body,
            timeout_s=limits.timeout_s,
            max_bytes=limits.max_bytes or _UNLIMITED,
        )
    refuse_status(answer.status)
    return answer


def refuse_status(status: int) -> None:
    """Turn an error status, or a redirect that is not followed, into a fault."""
    if status in {401, 403}:
        raise ConnectorFault(FaultKind.CREDENTIALS, f"The server did not accept the credentials (status {status})")
    if status >= 400:
        raise ConnectorFault(FaultKind.FAILED, f"The server answered with status {status}")
    if 300 <= status < 400 and status != 304:
        raise ConnectorFault(FaultKind.FAILED, f"The server sent a redirect (status {status}), which is not followed")


def decoded(body: bytes) -> Any:
    """JSON, or a fault.

    Raises:
        ConnectorFault: it is none.
    """
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ConnectorFault(FaultKind.FAILED, "The server's answer is no valid JSON") from error


def as_rows(value: Any) -> list[dict[str, Any]]:
    """A list of objects as it is, an object as one row, anything else under ``value``."""
    items = value if isinstance(value, list) else [value]
    return [item if isinstance(item, dict) else {"value": item} for item in items]


def body_rows(answer: Answer, rows_at: str) -> list[dict[str, Any]]:
    """The rows of an answer: JSON by its content type, else one row with the body as text or base64.

    Args:
        answer: a reply below 400.
        rows_at: names that lead to the list inside a JSON object, such as ``data.items``; empty for the top.
    """
    if not answer.body:
        return []
    kind = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind != "application/json" and not kind.endswith("+json"):
        return [{"body": text_or_base64(answer.body)}]
    value = decoded(answer.body)
    for name in filter(None, rows_at.split(".")):
        if not isinstance(value, dict) or name not in value:
            raise ConnectorFault(FaultKind.FAILED, "The server's answer has nothing at options.rows_at")
        value = value[name]
    return as_rows(value)


def endpoint_of(url: str) -> Endpoint:
    """Host and port of an address in the configuration.

    Raises:
        ConnectorFault: of kind configuration.
    """
    try:
        _, host, port = parse_url(url)
    except ValueError as error:
        raise ConnectorFault(FaultKind.CONFIGURATION, f"The address {error}") from error
    return Endpoint(host=str(host), port=port)
