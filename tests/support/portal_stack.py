"""Agent, orchestrator and portal as processes on one database, calls that a client drives through them, and a past."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

from axonflow_audit import GatewayContextRow

from support.gateway import CLIENT, INTERNAL_SECRET, ORG, SSN_TEXT, Gateway, gateway_env
from support.processes import Service, start_service, wait_until_healthy
from support.record import EMAIL, SSN, running_record
from support.upstream import Upstream

PRE_CHECK, REPORT = "/api/policy/pre-check", "/api/audit/llm-call"
# Inputs are kept whole and sealed, so that decisions can be made again.
SEALED = {"AXONFLOW_RECORD_INPUT": "sealed", "AXONFLOW_SEALING_KEY": "5e" * 32}
HOSTILE = '<script>alert(1)</script>"><img src=x>'


@dataclasses.dataclass(frozen=True)
class Stack:
    """The running services, as a browser and a client meet them."""

    gateway: Gateway
    orchestrator: Service
    portal: Service

    def drive(self) -> dict[str, str]:
        """Calls of every verdict and plane; the decision id of each by what it was."""
        ids = {
            "allowed": self.gateway.chat("Say hello.").headers["x-axonflow-decision-id"],
            "blocked": self.gateway.chat(SSN_TEXT).headers["x-axonflow-decision-id"],
            "warned": self.gateway.chat("Write to ann.lee@bank.example please.").headers["x-axonflow-decision-id"],
        }
        denied = self.gateway.post({"query": SSN_TEXT, "client_id": CLIENT}, path=PRE_CHECK).json["context_id"]
        approved = self.gateway.post({"query": "What is a database?", "client_id": CLIENT}, path=PRE_CHECK).json
        for context in (denied, approved["context_id"]):
            usage = {"prompt_tokens": 900, "completion_tokens": 120, "total_tokens": 1020}
            self.gateway.post(
                {"context_id": context, "provider": "openai", "model": "gpt-4o", "token_usage": usage,
                 "latency_ms": 840, "response_summary": "A store of rows."},
                path=REPORT,
            )  # fmt: skip
        return {**ids, "denied": denied, "approved": approved["context_id"]}


async def write_past(database_url: str, directory: Path, days: int = 7) -> None:
    """Decisions and contexts of earlier hours, some of them never reported, one client with a hostile name."""
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    async with running_record(database_url, directory) as record:
        for hour in range(1, days * 24, 3):
            for number in range(1 + hour % 5):
                verdict = ("allowed", "blocked", "redacted", "allowed", "needs_approval", "error")[(hour + number) % 6]
                matched = {"blocked": (SSN, EMAIL), "redacted": (EMAIL,), "needs_approval": (EMAIL,)}.get(verdict, ())
                await record.write(
                    created_at=now - timedelta(hours=hour, minutes=number), verdict=verdict, matched_policies=matched,
                    client_id=("teller-app", "mobile-app", HOSTILE)[number % 3], model="gpt-4o-mini", latency_ms=2.5,
                )  # fmt: skip
            if hour % 4 == 1:
                await _unreported(record, now - timedelta(hours=hour), ("mobile-app", HOSTILE)[hour % 8 == 1])


async def _unreported(record: object, moment: datetime, client_id: str) -> None:
    key = str(uuid.uuid4())
    context = GatewayContextRow(
        org_id=ORG,
        created_at=moment,
        id=key,
        tenant_id="tellers",
        client_id=client_id,
        approved=True,
        expires_at=moment + timedelta(minutes=5),
    )
    await record.write(id=key, created_at=moment, client_id=client_id, plane="gateway", details=(context,))  # type: ignore[attr-defined]


@contextlib.contextmanager
def running_stack(
    database_url: str, upstream: Upstream, directory: Path, mode: str = "enterprise", *, past_days: int = 0, **env: str
) -> Iterator[Stack]:
    """The three services in ``mode`` for as long as the block runs; keywords are further variables of all of them."""
    if past_days:
        with ThreadPoolExecutor(1) as apart:  # a browser's loop may run in this thread
            apart.submit(lambda: asyncio.run(write_past(database_url, directory, past_days))).result()
    env["AXONFLOW_INTERNAL_SERVICE_SECRET"] = INTERNAL_SECRET
    agent_env = gateway_env(database_url, upstream, mode, directory) | env
    shared = {
        "DATABASE_URL": database_url,
        "DEPLOYMENT_MODE": mode,
        "ORG_ID": ORG,
        "AUDIT_FALLBACK_PATH": str(directory / "orchestrator.jsonl"),
        **env,
    }
    agent = start_service("axonflow_agent", agent_env, directory / "agent.log")
    orchestrator = start_service("axonflow_orchestrator", shared, directory / "orchestrator.log")
    urls = {"AGENT_URL": agent.url, "ORCHESTRATOR_URL": orchestrator.url}
    portal = start_service("axonflow_portal", shared | urls, directory / "portal.log")
    try:
        for service in (agent, orchestrator, portal):
            wait_until_healthy(service)
        yield Stack(Gateway(agent, upstream, mode, database_url, directory, agent_env), orchestrator, portal)
    finally:
        for service in (portal, orchestrator, agent):
            service.process.terminate()
        for service in (portal, orchestrator, agent):
            service.terminate(15)
