"""Asks the orchestrator for a tenant's connectors; the call is signed and credentials come sealed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp
import msgspec
from axonflow_contracts.caller import Caller, CallerKind
from axonflow_contracts.connectors import DEFINITIONS_PATH, ConnectorDefinition, ConnectorDefinitions
from axonflow_internal_auth import TOKEN_HEADER, TokenMinter
from yarl import URL

AUDIENCE = "orchestrator"
TIMEOUT_S = 5.0
_OK = 200


class DefinitionsUnavailable(Exception):
    """The orchestrator gave no definitions."""


@dataclass(frozen=True, slots=True)
class OrchestratorDefinitions:
    """Reads definitions over HTTP.

    Attributes:
        base_url: the orchestrator's.
        service: the name that this process acts under.
    """

    session: aiohttp.ClientSession
    minter: TokenMinter
    base_url: str
    service: str

    async def fetch(self, org_id: str, tenant_id: str) -> Mapping[str, ConnectorDefinition]:
        """The connectors of a tenant by name.

        Raises:
            DefinitionsUnavailable: no answer, or none that can be read.
        """
        caller = Caller(org_id=org_id, tenant_id=tenant_id, client_id=self.service, kind=CallerKind.SERVICE)
        url = URL(self.base_url + DEFINITIONS_PATH, encoded=True)
        token = self.minter.mint(audience=AUDIENCE, caller=caller, method="GET", target=url.raw_path_qs)
        try:
            async with (
                asyncio.timeout(TIMEOUT_S),
                self.session.get(
                    url, headers={TOKEN_HEADER: token}, allow_redirects=False, skip_auto_headers=("Accept-Encoding",)
                ) as answer,
            ):
                body = await answer.read()
                if answer.status != _OK:
                    raise DefinitionsUnavailable(f"the orchestrator answered {answer.status}")
                found = msgspec.json.decode(body, type=ConnectorDefinitions)
        except (aiohttp.ClientError, TimeoutError, OSError, msgspec.MsgspecError) as error:
            raise DefinitionsUnavailable("the orchestrator gave no definitions") from error
        return {definition.name: definition for definition in found.connectors}
