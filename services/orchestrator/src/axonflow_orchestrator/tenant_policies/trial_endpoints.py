"""HTTP of simulation, impact, conflicts, and of templates."""

from __future__ import annotations

from dataclasses import dataclass

from axonflow_policy.simulation import InputBody
from starlette.requests import Request
from starlette.responses import Response

from axonflow_orchestrator.tenant_policies.asking import Asking, answer
from axonflow_orchestrator.tenant_policies.bodies import LARGEST_BODY, read
from axonflow_orchestrator.tenant_policies.query import parse_query
from axonflow_orchestrator.tenant_policies.template_service import ApplyBody, TemplateService
from axonflow_orchestrator.tenant_policies.trials import ConflictsBody, ImpactBody, PolicyTrials

LARGEST_INPUTS = 8 << 20


@dataclass(frozen=True, slots=True)
class TrialEndpoints:
    """What policies would do."""

    asking: Asking
    trials: PolicyTrials

    async def simulate(self, request: Request) -> Response:
        """``POST /api/v1/policies/simulate``."""
        body = await read(request, InputBody, LARGEST_BODY)
        return answer(await self.trials.simulate(body, self.asking.caller(request)))

    async def impact(self, request: Request) -> Response:
        """``POST /api/v1/policies/impact-report``."""
        body = await read(request, ImpactBody, LARGEST_INPUTS)
        readable = self.asking.readable(request)
        return answer(await self.trials.impact(body, self.asking.caller(request), readable))

    async def conflicts(self, request: Request) -> Response:
        """``POST /api/v1/policies/conflicts``."""
        body = await read(request, ConflictsBody)
        return answer(await self.trials.conflicts(body, self.asking.caller(request)))


@dataclass(frozen=True, slots=True)
class TemplateEndpoints:
    """The templates, and rules made of them."""

    asking: Asking
    service: TemplateService

    async def list(self, request: Request) -> Response:
        """``GET /api/v1/templates``."""
        self.asking.caller(request)
        return answer(self.service.page(parse_query(request.query_params)))

    async def categories(self, request: Request) -> Response:
        """``GET /api/v1/templates/categories``."""
        self.asking.caller(request)
        return answer(self.service.categories())

    async def stats(self, request: Request) -> Response:
        """``GET /api/v1/templates/stats``."""
        return answer(await self.service.stats(self.asking.caller(request)))

    async def get(self, request: Request) -> Response:
        """``GET /api/v1/templates/{id}``."""
        self.asking.caller(request)
        return answer(self.service.one(request.path_params["id"]))

    async def apply(self, request: Request) -> Response:
        """``POST /api/v1/templates/{id}/apply``: 201."""
        body = await read(request, ApplyBody)
        author = self.asking.author(request)
        return answer(await self.service.apply(request.path_params["id"], body, author), 201)
