"""What each tool does: the same as the endpoint of its kind, for the same caller."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple, Protocol, TypeVar

import msgspec
from axonflow_contracts.caller import Caller
from axonflow_contracts.errors import Fault
from axonflow_contracts.policies import StaticPolicyList

from axonflow_agent.governed import Call
from axonflow_agent.mcp import answers
from axonflow_agent.mcp.bodies import CheckInputBody, CheckOutputBody
from axonflow_agent.mcp.checks import Checks
from axonflow_agent.mcp_server.catalogue import TOOLS, Tool
from axonflow_agent.orchestrator import Answer, Orchestrator, segment
from axonflow_agent.policies.query import ListQuery, parse_query

T = TypeVar("T")
_VIA = {"via": "mcp-server"}
_SCHEMAS = {tool.name: tool.schema for tool in TOOLS}
_FIRST_ERROR = 400


class Policies(Protocol):
    """Whoever lists the static policies."""

    async def page(self, query: ListQuery, caller: Caller) -> StaticPolicyList:
        """A page of what the caller may see; raises `Fault`."""
        ...


class Federation(Protocol):
    """Whoever has tools of other servers."""

    async def tools(self, call: Call) -> tuple[Tool, ...]:
        """Those that the caller may use now."""
        ...

    async def run(self, call: Call, name: str, arguments: Mapping[str, Any]) -> tuple[dict[str, Any], bool] | None:
        """Use one; None where there is none of this name; raises `Fault`."""
        ...


class Outcome(NamedTuple):
    """What a tool says, and whether that is a failure; a denial of a check is an answer."""

    body: Any
    failed: bool = False


Run = Callable[[Call, Mapping[str, Any]], Awaitable[Outcome]]


@dataclasses.dataclass(frozen=True, slots=True)
class Toolbox:
    """Runs tools.

    Attributes:
        overrides_act: whether this edition has overrides.
        federation: tools beside our own.
    """

    checks: Checks
    policies: Policies
    orchestrator: Orchestrator
    overrides_act: bool
    federation: Federation

    async def further(self, call: Call) -> tuple[Tool, ...]:
        """Tools of other servers that the caller may use."""
        return await self.federation.tools(call)

    async def run(self, call: Call, name: str, arguments: Mapping[str, Any]) -> Outcome:
        """Use a tool for the caller of ``call``.

        Raises:
            Fault: 400 for a tool or an argument that there is not; others as the tool's own service.
        """
        work = self._table().get(name)
        if work is None:
            answered = await self.federation.run(call, name, arguments)
            if answered is None:
                raise Fault(400, "Unknown tool")
            return Outcome(*answered)
        missing = [field for field in _SCHEMAS[name].get("required", ()) if arguments.get(field) in (None, "")]
        if missing:
            raise Fault(400, f"{missing[0]} field is required")
        return await work(call, arguments)

    def _table(self) -> dict[str, Run]:
        return {
            "check_policy": self._check_policy,
            "check_output": self._check_output,
            "audit_tool_call": self._posting("/api/v1/audit/tool-call", "audit_tool_call"),
            "list_policies": self._list_policies,
            "get_policy_stats": self._posting("/api/v1/audit/summary", "get_policy_stats"),
            "explain_decision": self._explain_decision,
            "list_recent_decisions": self._listing("/api/v1/decisions", "list_recent_decisions"),
            "search_audit_events": self._posting("/api/v1/audit/search", "search_audit_events"),
            "list_overrides": self._listing("/api/v1/overrides", "list_overrides"),
            "create_override": self._posting("/api/v1/overrides", "create_override"),
            "delete_override": self._delete_override,
        }

    async def _check_policy(self, call: Call, arguments: Mapping[str, Any]) -> Outcome:
        checked = self.checks.begin(call, _read(arguments, CheckInputBody).ask())
        await checked.judge_request()
        await checked.record(metadata=_VIA)
        return Outcome(answers.check_input(checked, overrides_act=self.overrides_act))

    async def _check_output(self, call: Call, arguments: Mapping[str, Any]) -> Outcome:
        ask, reply = _read(arguments, CheckOutputBody).reply()
        checked = self.checks.begin(call, ask)
        await checked.judge_response(reply)
        await checked.record(metadata=_VIA)
        return Outcome(answers.check_output(checked, overrides_act=self.overrides_act))

    async def _list_policies(self, call: Call, arguments: Mapping[str, Any]) -> Outcome:
        page = await self.policies.page(parse_query(_as_query(arguments, "list_policies")), call.caller)
        return Outcome(msgspec.to_builtins(page))

    async def _explain_decision(self, call: Call, arguments: Mapping[str, Any]) -> Outcome:
        decision_id = segment(str(arguments["decision_id"]))
        return await self._asked(call, "GET", f"/api/v1/decisions/{decision_id}/explain")

    async def _delete_override(self, call: Call, arguments: Mapping[str, Any]) -> Outcome:
        return await self._asked(call, "DELETE", f"/api/v1/overrides/{segment(str(arguments['override_id']))}")

    def _listing(self, path: str, tool: str) -> Run:
        async def run(call: Call, arguments: Mapping[str, Any]) -> Outcome:
            return await self._asked(call, "GET", path, query=_as_query(arguments, tool))

        return run

    def _posting(self, path: str, tool: str) -> Run:
        async def run(call: Call, arguments: Mapping[str, Any]) -> Outcome:
            return await self._asked(call, "POST", path, body=_known(arguments, tool))

        return run

    async def _asked(self, call: Call, method: str, path: str, **sent: Mapping[str, Any]) -> Outcome:
        answer = await self.orchestrator.ask(call.caller, call.exchange.trace, method, path, **sent)
        return _outcome(answer)


def _outcome(answer: Answer) -> Outcome:
    if answer.status >= _FIRST_ERROR:
        return Outcome(answer.body or {"error": f"The service answered {answer.status}"}, failed=True)
    return Outcome({"success": True} if answer.body is None else answer.body)


def _known(arguments: Mapping[str, Any], tool: str) -> dict[str, Any]:
    """The arguments that the tool has; identity is never one of them."""
    names = _SCHEMAS[tool]["properties"]
    return {name: value for name, value in arguments.items() if name in names and value is not None}


def _as_query(arguments: Mapping[str, Any], tool: str) -> dict[str, str]:
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in _known(arguments, tool).items()
    }


def _read(arguments: Mapping[str, Any], kind: type[T]) -> T:
    try:
        return msgspec.convert(dict(arguments), kind)
    except msgspec.ValidationError as error:
        raise Fault(400, f"Invalid arguments: {error}") from error
