"""The URL table of the static policies."""

from __future__ import annotations

from typing import Protocol

from axonflow_contracts.caller import Caller
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from axonflow_agent.policies.endpoints import list_static_policies
from axonflow_agent.policies.service import PolicyReader

PATH = "/api/v1/static-policies"


class Door(Protocol):
    """Authentication of clients and of sibling services."""

    async def enter_or_service(self, request: Request) -> Caller:
        """Who calls; raises the `Fault` of the authentication middleware otherwise."""
        ...


def routes(door: Door, reader: PolicyReader) -> list[Route]:
    """The routes, with their collaborators bound."""

    async def list_policies(request: Request) -> Response:
        return await list_static_policies(request, await door.enter_or_service(request), reader)

    return [Route(PATH, list_policies, methods=["GET"])]
