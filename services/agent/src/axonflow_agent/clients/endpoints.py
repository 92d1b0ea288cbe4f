"""``/api/clients``: the admin API over client applications, always behind ``ADMIN_API_KEY``."""

from __future__ import annotations

import hmac
from typing import Any, TypeVar

import msgspec
from axonflow_contracts.errors import Fault
from axonflow_settings import Secret
from axonflow_web import read_body, strict_json
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from axonflow_agent.clients.records import Client
from axonflow_agent.clients.service import ClientChange, ClientService, Issued, NewClient

PATH = "/api/clients"
MAX_BODY_BYTES = 65_536
T = TypeVar("T")


def routes(service: ClientService, admin_key: Secret, license_tier: str) -> list[Route]:
    """The URL table of the clients API; ``license_tier`` is shown with each client."""
    endpoints = _Endpoints(service, admin_key, license_tier)
    return [
        Route(PATH, endpoints.list, methods=["GET"]),
        Route(PATH, endpoints.create, methods=["POST"]),
        Route(PATH + "/{client_id}", endpoints.change, methods=["PATCH"]),
        Route(PATH + "/{client_id}/rotate", endpoints.rotate, methods=["POST"]),
    ]


class _Endpoints:
    def __init__(self, service: ClientService, admin_key: Secret, license_tier: str) -> None:
        self._service = service
        self._admin_key = admin_key
        self._license_tier = license_tier

    async def list(self, request: Request) -> Response:
        self._admit(request)
        clients = await self._service.list(request.query_params.get("org_id"))
        return _json([self._shown(client) for client in clients])

    async def create(self, request: Request) -> Response:
        self._admit(request)
        issued = await self._service.create(await _read(request, NewClient))
        return _json(self._with_secret(issued), 201)

    async def change(self, request: Request) -> Response:
        self._admit(request)
        change = await _read(request, ClientChange)
        org_id = request.query_params.get("org_id")
        return _json(self._shown(await self._service.change(request.path_params["client_id"], change, org_id)))

    async def rotate(self, request: Request) -> Response:
        self._admit(request)
        org_id = request.query_params.get("org_id")
        return _json(self._with_secret(await self._service.rotate(request.path_params["client_id"], org_id)))

    def _admit(self, request: Request) -> None:
        if not self._admin_key:
            raise Fault(403, "The clients API is closed: ADMIN_API_KEY is not set")
        scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
        shown = request.headers.get("x-admin-api-key") or (bearer if scheme.lower() == "bearer" else "")
        # A header is latin-1 to Starlette, whatever bytes were sent; those are what the key is compared with.
        expected = self._admin_key.reveal().encode("utf-8", "surrogateescape")
        if not hmac.compare_digest(shown.encode("latin-1"), expected):
            raise Fault(401, "The admin key is missing or wrong: send it as X-Admin-API-Key")

    def _with_secret(self, issued: Issued) -> dict[str, Any]:
        return {**self._shown(issued.client), "client_secret": issued.secret}

    def _shown(self, client: Client) -> dict[str, Any]:
        return {
            "id": client.client_id,
            "name": client.name,
            "org_id": client.org_id,
            "tenant_id": client.tenant_id,
            "permissions": client.permissions,
            "rate_limit": client.rate_limit,
            "enabled": client.enabled,
            "license_tier": self._license_tier,
            "license_expiry": None,
            "created_at": client.created_at,
            "updated_at": client.updated_at,
        }


async def _read(request: Request, kind: type[T]) -> T:
    document = strict_json.loads(await read_body(request, MAX_BODY_BYTES))
    try:
        return msgspec.convert(document, kind)
    except msgspec.ValidationError as error:
        raise Fault(400, f"Invalid request body: {error}") from error


def _json(body: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(body), status, media_type="application/json")
