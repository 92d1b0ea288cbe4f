"""The URL table of the static policies, with what stands behind it put together."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from axonflow_audit import AuditLog
from axonflow_contracts.caller import Caller
from axonflow_contracts.posture import Posture
from axonflow_database import Database
from axonflow_governance import PolicySource
from axonflow_governance.changes import ChangeRecord
from axonflow_policy import Policy
from axonflow_settings import Edition, Limits
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from axonflow_agent.overrides.service import OverrideService
from axonflow_agent.policies.editor import PolicyEditor
from axonflow_agent.policies.endpoints import (
    OverrideEndpoints,
    PolicyEndpoints,
    TrialEndpoints,
    list_static_policies,
)
from axonflow_agent.policies.service import PolicyReader
from axonflow_agent.policies.trial import PolicyTrial

PATH = "/api/v1/static-policies"
OVERRIDES_PATH = "/api/v1/policy-overrides"
TRIAL_PATH = "/api/policies/test"

Handler = Callable[[Request, Caller], Awaitable[Response]]
Enter = Callable[[Request], Awaitable[Caller]]


class Door(Protocol):
    """Authentication of clients and of sibling services."""

    async def enter(self, request: Request) -> Caller:
        """Which client calls; raises the `Fault` of the authentication middleware otherwise."""
        ...

    async def enter_or_service(self, request: Request) -> Caller:
        """Who calls; raises the `Fault` of the authentication middleware otherwise."""
        ...


@dataclass(frozen=True, slots=True)
class PolicyServices:
    """What the endpoints stand on."""

    reader: PolicyReader
    editor: PolicyEditor
    overrides: OverrideService
    trial: PolicyTrial
    max_body_bytes: int

    @classmethod
    def of(
        cls,
        *,
        database: Database,
        source: PolicySource,
        posture: Posture,
        audit: AuditLog,
        edition: Edition,
        limits: Limits,
        strict_overrides: bool,
        max_body_bytes: int,
    ) -> PolicyServices:
        """Put together for one deployment; overrides belong to the enterprise edition alone."""
        in_force, changes = _in_force(source), ChangeRecord(audit)
        enterprise = edition is Edition.ENTERPRISE
        return cls(
            reader=PolicyReader(database, in_force, posture, enterprise),
            editor=PolicyEditor(database, edition, limits, changes, source.gate),
            overrides=OverrideService(
                database=database,
                in_force=in_force,
                posture=posture,
                allowed=enterprise,
                strict=strict_overrides,
                changes=changes,
            ),
            trial=PolicyTrial(source, approvals_act=edition is not Edition.COMMUNITY),
            max_body_bytes=max_body_bytes,
        )


def routes(door: Door, services: PolicyServices) -> list[Route]:
    """The routes, with their collaborators bound; fixed words stand before ``{policy_id}``."""
    policy = PolicyEndpoints(services.reader, services.editor)
    overrides = OverrideEndpoints(services.overrides)
    trial = TrialEndpoints(services.trial, services.max_body_bytes)

    async def list_policies(request: Request, caller: Caller) -> Response:
        return await list_static_policies(request, caller, services.reader)

    def read(path: str, handler: Handler) -> Route:
        return Route(path, _behind(door.enter_or_service, handler), methods=["GET"])

    def write(method: str, path: str, handler: Handler) -> Route:
        return Route(path, _behind(door.enter, handler), methods=[method])

    one = PATH + "/{policy_id}"
    return [
        read(PATH, list_policies),
        write("POST", PATH, policy.create),
        read(PATH + "/effective", policy.effective),
        read(PATH + "/overrides", overrides.list),
        read(OVERRIDES_PATH, overrides.list),
        write("POST", PATH + "/test", trial.pattern),
        write("POST", TRIAL_PATH, trial.query),
        read(one, policy.get),
        write("PUT", one, policy.update),
        write("PATCH", one, policy.toggle),
        write("DELETE", one, policy.delete),
        read(one + "/versions", policy.versions),
        read(one + "/override", overrides.get),
        write("POST", one + "/override", overrides.create),
        write("DELETE", one + "/override", overrides.delete),
    ]


def _behind(enter: Enter, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        return await handler(request, await enter(request))

    return endpoint


def _in_force(source: PolicySource) -> Callable[[], Mapping[str, Policy]]:
    return lambda: {policy.id: policy for policy in source.current.compiled} if source.current else {}
