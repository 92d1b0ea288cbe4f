"""The tools as an assistant is told of them: names, what they are for, and the JSON Schema of their arguments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

_TEXT = {"type": "string"}
_NUMBER = {"type": "integer"}


class Tool(NamedTuple):
    """One tool; ``schema`` is its arguments'."""

    name: str
    description: str
    schema: Mapping[str, Any]


def _tool(name: str, description: str, required: tuple[str, ...] = (), **properties: Mapping[str, Any]) -> Tool:
    schema: dict[str, Any] = {"type": "object", "properties": properties}
    return Tool(name, description, {**schema, "required": list(required)} if required else schema)


def _text(description: str) -> dict[str, Any]:
    return {**_TEXT, "description": description}


def _number(description: str, least: int, most: int) -> dict[str, Any]:
    return {**_NUMBER, "description": description, "minimum": least, "maximum": most}


def _word(description: str, *words: str) -> dict[str, Any]:
    return {**_TEXT, "description": description, "enum": list(words)}


_SINCE = _text("Start of the time to look at, RFC 3339.")
_UNTIL = _text("End of the time to look at, RFC 3339.")

TOOLS = (
    _tool(
        "check_policy",
        "Ask whether a statement or command may be sent to a connector or tool, before it is sent.",
        ("connector_type", "statement"),
        connector_type=_text("The connector or tool it is for, such as postgres or shell."),
        statement=_text("The statement, command or arguments."),
        operation=_word("What it does.", "query", "execute"),
        parameters={"type": "object", "description": "Parameters of the statement; each is judged too."},
    ),
    _tool(
        "check_output",
        "Ask whether an answer of a connector or tool may be used, and get it with personal data masked.",
        ("connector_type",),
        connector_type=_text("The connector or tool that answered."),
        response_data={"type": "array", "description": "The answer, when it is rows."},
        message=_text("The answer, when it is text."),
        row_count=_number("Rows in all, when fewer are given.", 0, 10**9),
    ),
    _tool(
        "audit_tool_call",
        "Record that a tool was called outside of this product.",
        ("tool_name",),
        tool_name=_text("The tool."),
        tool_type=_text("Its kind, such as mcp or builtin."),
        input={"description": "What it was given; a digest is kept."},
        output={"description": "What it gave; a digest is kept."},
        success={"type": "boolean", "description": "Whether it worked."},
        error_message=_text("What went wrong."),
        duration_ms={"type": "number", "description": "How long it took, in milliseconds."},
        workflow_id=_text("The workflow it belongs to."),
        step_id=_text("The step it belongs to."),
        policies_applied={"type": "array", "items": _TEXT, "description": "Policies that were applied to it."},
    ),
    _tool(
        "list_policies",
        "List the policies that judge calls, with what each of them does.",
        category=_text("Only this category, such as security-sqli or pii-us."),
        severity=_word("Only this severity.", "critical", "high", "medium", "low"),
        tier=_word("Only this tier.", "system", "organization", "tenant"),
        enabled={"type": "boolean", "description": "Only those that are on, or off."},
        search=_text("Text that name, id or description contains."),
        limit=_number("How many, 20 unless told.", 1, 100),
        offset=_number("How many to pass over.", 0, 10**6),
    ),
    _tool(
        "get_policy_stats",
        "Count decisions: allowed, blocked and masked calls, and the policies that matched most.",
        start_time=_SINCE,
        end_time=_UNTIL,
    ),
    _tool(
        "explain_decision",
        "Explain one decision: which policies matched where, what each did, and what would have changed it.",
        ("decision_id",),
        decision_id=_text("The decision's id."),
    ),
    _tool(
        "list_recent_decisions",
        "List the latest decisions.",
        since=_SINCE,
        decision=_word("Only these.", "allow", "deny", "require_approval"),
        policy_id=_text("Only decisions that this policy had a part in."),
        tool_signature=_text("Only decisions on this tool."),
        limit=_number("How many.", 1, 1000),
    ),
    _tool(
        "search_audit_events",
        "Search the audit log.",
        start_time=_SINCE,
        end_time=_UNTIL,
        action=_text("Only this outcome, such as allowed, blocked or redacted."),
        request_type=_text("Only this kind of request, such as mcp-check-input."),
        client_id=_text("Only this client, or part of its id."),
        user_email=_text("Only this user, or part of the address."),
        policy_name=_text("Only rows that this policy matched in."),
        decision_id=_text("Only this decision."),
        limit=_number("How many, 100 unless told.", 1, 1000),
        offset=_number("How many to pass over.", 0, 10_000),
    ),
    _tool(
        "list_overrides",
        "List the session overrides that hold.",
        policy_id=_text("Only those of this policy."),
        limit=_number("How many.", 1, 1000),
    ),
    _tool(
        "create_override",
        "Let a policy be overridden for a while, with a reason. Needs a user that is known by name.",
        ("policy_id", "policy_type", "override_reason"),
        policy_id=_text("The policy."),
        policy_type=_word("Its kind.", "static", "dynamic"),
        override_reason={**_TEXT, "description": "Why.", "maxLength": 500},
        tool_signature=_text("Only for this tool."),
        ttl_seconds=_number("How long, 3600 unless told.", 1, 86_400),
    ),
    _tool(
        "delete_override",
        "End a session override before its time.",
        ("override_id",),
        override_id=_text("The override."),
    ),
)
