"""Slack: channels and their messages to read, messages to post; four operations and no other method of its API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from axonflow_outbound import Outbound

from axonflow_connectors.faults import ConnectorFault, FaultKind
from axonflow_connectors.gathering import Gathering, within
from axonflow_connectors.http_answers import decoded, endpoint_of, send
from axonflow_connectors.protocol import Call, Capability, Connector, Limits, Rows, Written
from axonflow_connectors.specification import Configuration, ConnectorSpec, Field, Surroundings
from axonflow_connectors.templates import scalar, with_query

_PAGE = 200
_LONGEST_TEXT = 40_000  # Slack's own limit
_BAD_CREDENTIALS = {"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired", "missing_scope"}
# operation: its method, the list in its answer, the parameters it takes
_READS = {
    "list_channels": ("conversations.list", "channels", {"types", "exclude_archived"}),
    "channel_history": ("conversations.history", "messages", {"channel", "oldest", "latest"}),
}
_WRITES = {"post_message": ("chat.postMessage", {"channel", "text", "thread_ts"})}
_TEST_LIMITS = Limits(max_bytes=1_000_000, timeout_s=10)


class Slack(Connector):
    """One workspace under one bot token."""

    capabilities = frozenset({Capability.QUERY, Capability.EXECUTE})

    def __init__(self, configuration: Configuration, outbound: Outbound) -> None:
        self._base = configuration.text("base_url").rstrip("/")
        self._headers = {"Authorization": f"Bearer {configuration.secret('bot_token')}"}
        self._outbound = outbound

    async def test(self) -> Mapping[str, str]:
        """The team and user that the token belongs to."""
        answer = await self._ask("POST", "/auth.test", None, _TEST_LIMITS)
        return {name: str(answer[name]) for name in ("team", "user") if name in answer}

    async def query(self, call: Call) -> Rows:
        """``list_channels`` or ``channel_history`` (``channel``), page by page until a limit or the end."""
        method, key, legal = _operation(_READS, call.statement)
        given = _parameters(call.parameters, legal, {"channel"} & legal)
        gathering, cursor = Gathering(call.limits), ""
        async with within(call.limits.timeout_s):
            while True:
                page = [*given.items(), ("limit", _PAGE), *([("cursor", cursor)] if cursor else [])]
                answer = await self._ask("GET", with_query(f"/{method}", page), None, call.limits)
                items, cursor = _page(answer, key)
                if not gathering.add_all(items) or not cursor or not items:
                    return gathering.finish()

    async def execute(self, call: Call) -> Written:
        """``post_message`` with ``channel``, ``text`` and perhaps ``thread_ts``."""
        method, legal = _operation(_WRITES, call.statement)
        given = _parameters(call.parameters, legal, {"channel", "text"})
        if len(given["text"]) > _LONGEST_TEXT:
            raise ConnectorFault(FaultKind.REQUEST, f"A message has at most {_LONGEST_TEXT} characters")
        gathering = Gathering(call.limits)
        answer = await self._ask("POST", f"/{method}", msgspec.json.encode(given), call.limits)
        gathering.add({name: answer[name] for name in ("channel", "ts") if name in answer})
        return Written(rows_affected=1, answer=gathering.finish())

    async def close(self) -> None:
        """Connections belong to the deployment's outbound client."""

    async def _ask(self, method: str, path: str, body: bytes | None, limits: Limits) -> dict[str, Any]:
        headers = (
            self._headers if body is None else {**self._headers, "Content-Type": "application/json; charset=utf-8"}
        )
        url = self._base + path
        answer = decoded((await send(self._outbound, method, url, headers=headers, limits=limits, body=body)).body)
        if not isinstance(answer, dict):
            raise ConnectorFault(FaultKind.FAILED, "Slack's answer is no object")
        if answer.get("ok") is not True:
            error = str(answer.get("error", ""))
            if error in _BAD_CREDENTIALS:
                raise ConnectorFault(FaultKind.CREDENTIALS, f"Slack did not accept the token ({error})")
            known = error if error.replace("_", "").isalpha() and len(error) <= 64 else "no reason"
            raise ConnectorFault(FaultKind.FAILED, f"Slack refused the call ({known})")
        return answer


def _page(answer: Mapping[str, Any], key: str) -> tuple[list[dict[str, Any]], str]:
    """The objects of one page, and where the next one begins; empty on the last."""
    items, following = answer.get(key), answer.get("response_metadata")
    cursor = following.get("next_cursor") if isinstance(following, dict) else ""
    found = [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
    return found, cursor if isinstance(cursor, str) else ""


def _operation(table: Mapping[str, Any], statement: str) -> Any:
    try:
        return table[statement.strip()]
    except KeyError:
        kind = FaultKind.READ_ONLY if table is _READS and statement.strip() in _WRITES else FaultKind.REQUEST
        raise ConnectorFault(kind, f"Here the operation must be one of {', '.join(table)}") from None


def _parameters(parameters: Any, legal: set[str], required: set[str]) -> dict[str, str]:
    if not isinstance(parameters, Mapping):
        parameters = {"": parameters} if parameters else {}
    if strangers := sorted(set(parameters) - legal):
        raise ConnectorFault(FaultKind.REQUEST, f"This operation has no parameter {strangers[0][:64]}")
    if missing := sorted(name for name in required if not parameters.get(name)):
        raise ConnectorFault(FaultKind.REQUEST, f"This operation needs the parameter {missing[0]}")
    # a message may hold line ends, which stand in a JSON body; all else goes into a query
    return {name: str(value) if name == "text" else scalar(name, value) for name, value in parameters.items()}


async def _open(configuration: Configuration, surroundings: Surroundings) -> Connector:
    return Slack(configuration, surroundings.outbound)


SPEC = ConnectorSpec(
    type="slack",
    title="Slack",
    description="list_channels, channel_history and post_message in one workspace.",
    category="messaging",
    fields=(
        Field(name="bot_token", help="The bot's OAuth token (xoxb-).", kind="secret", required=True),
        Field(name="base_url", help="Address of the Web API.", kind="url", default="https://slack.com/api"),
    ),
    capabilities=Slack.capabilities,
    open=_open,
    endpoints=lambda given: (endpoint_of(given.text("base_url")),),
)
