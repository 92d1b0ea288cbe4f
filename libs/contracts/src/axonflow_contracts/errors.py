"""The one table of error envelopes.

Code raises a `Fault` that says what is wrong; the surface on which the request came in decides how it looks.
Several envelopes coexist because published SDKs parse each of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any


class Surface(Enum):
    """A family of endpoints that share one error envelope."""

    OPENAI = "openai"  # {"error": {"message", "type", "param", "code"}}
    HANDLER = "handler"  # {"success": false, "error": "text"}
    MIDDLEWARE = "middleware"  # {"error": {"code": 403, "message": "text"}}, plus "message" in a refusal by edition
    FLAT = "flat"  # {"error": "text"}, plus "service" when a backend is meant
    NESTED = "nested"  # {"error": {"code": "UPPER", "message": "text", "details"?: [...]}}
    WORKFLOW = "workflow"  # {"error": "lower", "code": "UPPER", "message": "text"}
    DECIDE = "decide"  # {"error": "text", "verdict": "deny", "decision_id", "trace_id"}
    MCP_CHECK = "mcp_check"  # {"success": false, "error": "text", "allowed": false, "block_reason": "text"}
    JSON_RPC = "json_rpc"  # {"jsonrpc": "2.0", "id": null, "error": {"code", "message"}}
    UNROUTED = "unrouted"  # {"error": "not_found", "error_description": "text"}


class Fault(Exception):
    """A request that cannot be answered as asked.

    Attributes:
        status: HTTP status, 400 to 599.
        message: the sentence the client sees; it never quotes prompts, keys or tokens.
        code: machine-readable word, empty where the envelope's contract leaves it empty.
        kind: the ``type`` of the OpenAI envelope.
        headers: extra response headers, such as ``Retry-After``.
        details: extra members merged into (or listed in) the envelope.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str = "",
        kind: str = "",
        headers: Mapping[str, str] | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.kind = kind or _DEFAULT_KINDS.get(status, "server_error" if status >= 500 else "invalid_request_error")
        self.headers = dict(headers or {})
        self.details = dict(details or {})


_DEFAULT_KINDS = {401: "authentication_error", 429: "rate_limit_error"}

_DEFAULT_CODES = {
    400: "INVALID_REQUEST",
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    409: "CONFLICT",
    413: "PAYLOAD_TOO_LARGE",
    429: "RATE_LIMIT_EXCEEDED",
    500: "INTERNAL_ERROR",
    501: "NOT_IMPLEMENTED",
    502: "BAD_GATEWAY",
    503: "SERVICE_UNAVAILABLE",
}


def default_code(status: int) -> str:
    """The upper-case word of envelopes that carry one, when the fault names none."""
    return _DEFAULT_CODES.get(status, "INTERNAL_ERROR" if status >= 500 else "INVALID_REQUEST")


def _openai(fault: Fault) -> dict[str, Any]:
    return {"error": {"message": fault.message, "type": fault.kind, "param": None, "code": fault.code}}


def _handler(fault: Fault) -> dict[str, Any]:
    return {"success": False, "error": fault.message, **fault.details}


def _middleware(fault: Fault) -> dict[str, Any]:
    return {"error": {"code": fault.status, "message": fault.message}, **fault.details}


def _flat(fault: Fault) -> dict[str, Any]:
    return {"error": fault.message, **fault.details}


def _nested(fault: Fault) -> dict[str, Any]:
    return {"error": {"code": fault.code or default_code(fault.status), "message": fault.message, **fault.details}}


def _workflow(fault: Fault) -> dict[str, Any]:
    code = fault.code or default_code(fault.status)
    return {"error": code.lower(), "code": code, "message": fault.message, **fault.details}


def _decide(fault: Fault) -> dict[str, Any]:
    # A gateway that reads nothing but the verdict must not take a failure for an answer.
    return {"error": fault.message, "verdict": "deny", **fault.details}


def _mcp_check(fault: Fault) -> dict[str, Any]:
    # Published SDKs take a 403 for an answer, and one without these members for a bug.
    return {**_handler(fault), "allowed": False, "block_reason": fault.message}


def _json_rpc(fault: Fault) -> dict[str, Any]:
    # JSON-RPC 2.0 section 5.1; a fault of the transport belongs to no request of its own.
    code = _RPC_CODES.get(fault.status, _RPC_SERVER_ERROR)
    return {"jsonrpc": "2.0", "id": None, "error": {"code": code, "message": fault.message}, **fault.details}


def _unrouted(fault: Fault) -> dict[str, Any]:
    return {"error": (fault.code or default_code(fault.status)).lower(), "error_description": fault.message}


_RPC_CODES = {400: -32600, 405: -32601, 500: -32603}
_RPC_SERVER_ERROR = -32000

_ENVELOPES: dict[Surface, Callable[[Fault], dict[str, Any]]] = {
    Surface.OPENAI: _openai,
    Surface.HANDLER: _handler,
    Surface.MIDDLEWARE: _middleware,
    Surface.FLAT: _flat,
    Surface.NESTED: _nested,
    Surface.WORKFLOW: _workflow,
    Surface.DECIDE: _decide,
    Surface.MCP_CHECK: _mcp_check,
    Surface.JSON_RPC: _json_rpc,
    Surface.UNROUTED: _unrouted,
}


def envelope(surface: Surface, fault: Fault) -> dict[str, Any]:
    """The JSON body that ``surface`` answers for ``fault``."""
    return _ENVELOPES[surface](fault)
