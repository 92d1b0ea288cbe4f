"""An orchestrator in this process on a database of its own, rows for it to read, and callers that ask."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from axonflow_audit import AuditEntry, AuditRow, DetailRow, MatchedPolicy
from axonflow_contracts.caller import Caller, CallerKind
from axonflow_internal_auth import TOKEN_HEADER, TokenMinter
from axonflow_orchestrator.app import create_app
from axonflow_orchestrator.resources import Orchestrator, open_orchestrator
from axonflow_orchestrator.settings import OrchestratorSettings
from axonflow_settings import Secret, load
from starlette.types import ASGIApp, Message, Scope

from support.serving import http_scope

ORG = "acme-bank"
SECRET = "internal-secret-of-32-characters-"
TELLERS = Caller(org_id=ORG, tenant_id="tellers", client_id="teller-app", kind=CallerKind.CLIENT)
BROKERS = Caller(org_id=ORG, tenant_id="brokers", client_id="broker-app", kind=CallerKind.CLIENT)
RIVAL = Caller(org_id="rival-bank", tenant_id="tellers", client_id="rival-app", kind=CallerKind.CLIENT)
SSN = MatchedPolicy(
    policy_id="sys_pii_ssn",
    name="US SSN",
    category="pii-us",
    severity="critical",
    action="block",
    origin="stored",
    path="messages[1].content",
    role="user",
    spans=((10, 21),),
    span_count=1,
    reason="Social Security Number detected",
    tier="system",
    risk=0.9,
)
EMAIL = MatchedPolicy(
    policy_id="sys_pii_email",
    name="Email",
    category="pii-global",
    severity="medium",
    action="warn",
    origin="stored",
    path="messages[0].content",
    role="system",
    spans=((0, 5), (7, 12)),
    span_count=2,
    reason="Email address",
    tier="system",
    risk=0.3,
    overridable=True,
)


@dataclasses.dataclass(frozen=True)
class Reply:
    """An answer, read whole."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclasses.dataclass(frozen=True)
class Record:
    """The orchestrator under test."""

    orchestrator: Orchestrator
    app: ASGIApp

    async def write(self, *, details: tuple[DetailRow, ...] = (), **fields: Any) -> AuditRow:
        """Add one row; keywords replace its fields."""
        row = row_of(**fields)
        await self.orchestrator.audit.write(AuditEntry(row, details))
        return row

    async def ask(
        self,
        method: str,
        target: str,
        body: Any = None,
        *,
        caller: Caller | None = TELLERS,
        headers: dict[str, str] | None = None,
    ) -> Reply:
        """One call as the agent passes it on for ``caller``; None sends no token."""
        data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        pairs = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
        if caller is not None:
            token = TokenMinter(Secret(SECRET), "agent").mint(
                audience="orchestrator", caller=caller, method=method, target=target, body=data
            )
            pairs.append((TOKEN_HEADER.encode(), token.encode()))
        sent = await sent_by(self.app, http_scope(method, target, pairs), data)
        told = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        return Reply(sent[0]["status"], told, b"".join(part.get("body", b"") for part in sent[1:]))


async def sent_by(app: ASGIApp, scope: Scope, body: bytes) -> list[Message]:
    """What ``app`` sends to a client that stays until the end."""
    request: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]
    sent: list[Message] = []

    async def receive() -> Message:
        if not request:
            await asyncio.Event().wait()
        return request.pop()

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return sent


def row_of(**fields: Any) -> AuditRow:
    """A chat completion of the tellers, allowed a moment ago; keywords replace fields."""
    key = str(uuid.uuid4())
    return AuditRow(
        **{
            "org_id": ORG,
            "created_at": datetime.now(UTC) - timedelta(seconds=1),
            "id": key,
            "decision_id": fields.get("id", key),
            "tenant_id": "tellers",
            "client_id": "teller-app",
            "plane": "openai_compat",
            "phase": "request",
            "verdict": "allowed",
            **fields,
        }
    )


@contextlib.asynccontextmanager
async def running_record(
    database_url: str, directory: Path, mode: str = "enterprise", **env: str
) -> AsyncIterator[Record]:
    """An orchestrator in ``mode``; keywords are further environment variables."""
    environ = {
        "DATABASE_URL": database_url,
        "DEPLOYMENT_MODE": mode,
        "AXONFLOW_INTERNAL_SERVICE_SECRET": SECRET,
        "ORG_ID": ORG,
        "AUDIT_FALLBACK_PATH": str(directory / "audit_fallback.jsonl"),
        "AUDIT_COMMIT_WAIT_MS": "10000",
        **env,
    }
    async with open_orchestrator(load(OrchestratorSettings, environ)) as orchestrator:
        yield Record(orchestrator, create_app(orchestrator))
