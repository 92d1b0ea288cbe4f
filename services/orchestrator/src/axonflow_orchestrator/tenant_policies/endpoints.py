"""HTTP of dynamic policies (orchestrator contract section 1.8); two prefixes lead to the same handlers."""

from __future__ import annotations

from dataclasses import dataclass

from axonflow_policy.simulation import InputBody
from starlette.requests import Request
from starlette.responses import Response

from axonflow_orchestrator.tenant_policies.asking import Asking, answer
from axonflow_orchestrator.tenant_policies.bodies import RuleBody, read
from axonflow_orchestrator.tenant_policies.editor import RuleEditor
from axonflow_orchestrator.tenant_policies.evaluating import McpBody, RuleEvaluator
from axonflow_orchestrator.tenant_policies.exporting import as_yaml, exported
from axonflow_orchestrator.tenant_policies.importing import ImportBody, RuleImporter
from axonflow_orchestrator.tenant_policies.linting import with_findings
from axonflow_orchestrator.tenant_policies.query import flag, parse_query
from axonflow_orchestrator.tenant_policies.reader import RuleReader
from axonflow_orchestrator.tenant_policies.refusals import FieldProblem, invalid
from axonflow_orchestrator.tenant_policies.wire import shown

LARGEST_IMPORT = 4 << 20


@dataclass(frozen=True, slots=True)
class PolicyEndpoints:
    """Rules: read, written, and tried on a query."""

    asking: Asking
    reader: RuleReader
    editor: RuleEditor
    importer: RuleImporter
    evaluator: RuleEvaluator

    async def list(self, request: Request) -> Response:
        """``GET ``: filters, order, and either form of paging."""
        return answer(await self.reader.page(parse_query(request.query_params), self.asking.caller(request)))

    async def create(self, request: Request) -> Response:
        """``POST ``: 201."""
        author = self.asking.author(request)
        row = await self.editor.create(await read(request, RuleBody), author)
        return answer(await with_findings(self.reader, row, author.caller), 201)

    async def get(self, request: Request) -> Response:
        """``GET /{id}``."""
        return answer(shown(await self.reader.row(_key(request), self.asking.caller(request))))

    async def update(self, request: Request) -> Response:
        """``PUT /{id}``: what is given is changed, the rest stays."""
        author = self.asking.author(request)
        row = await self.editor.update(_key(request), await read(request, RuleBody), author)
        return answer(await with_findings(self.reader, row, author.caller))

    async def delete(self, request: Request) -> Response:
        """``DELETE /{id}``: 204."""
        await self.editor.delete(_key(request), self.asking.author(request))
        return Response(status_code=204)

    async def versions(self, request: Request) -> Response:
        """``GET /{id}/versions``."""
        return answer(await self.reader.versions(_key(request), self.asking.caller(request)))

    async def try_rule(self, request: Request) -> Response:
        """``POST /{id}/test``."""
        body = await read(request, InputBody)
        return answer(await self.evaluator.try_rule(_key(request), body, self.asking.caller(request)))

    async def effective(self, request: Request) -> Response:
        """``GET /effective``."""
        params = request.query_params
        include = flag(params, "include_disabled") or False
        caller = self.asking.caller(request)
        return answer(
            await self.reader.effective(caller, category=params.get("category", ""), include_disabled=include)
        )

    async def import_(self, request: Request) -> Response:
        """``POST /import``."""
        body = await read(request, ImportBody, LARGEST_IMPORT)
        return answer(await self.importer.run(body, self.asking.author(request)))

    async def export(self, request: Request) -> Response:
        """``GET /export``: as JSON or YAML."""
        form = request.query_params.get("format") or "json"
        if form not in {"json", "yaml"}:
            raise invalid([FieldProblem("format", "must be json or yaml")])
        caller = self.asking.caller(request)
        document = exported([row for row in await self.reader.rows(caller) if row.org_id == caller.org_id])
        if form == "yaml":
            return Response(as_yaml(document), media_type="application/yaml")
        return answer(document)

    async def loaded(self, request: Request) -> Response:
        """``GET /api/v1/policies/dynamic``."""
        return answer(await self.reader.loaded(self.asking.caller(request)))

    async def try_query(self, request: Request) -> Response:
        """``POST /api/v1/policies/test``."""
        body = await read(request, InputBody)
        return answer(await self.evaluator.try_query(body, self.asking.caller(request)))

    async def mcp(self, request: Request) -> Response:
        """``POST /api/v1/mcp/evaluate-policies``: for the agent; the path needs a signed token in every mode."""
        body = await read(request, McpBody, self.asking.settings.max_body_bytes)
        return answer(await self.evaluator.mcp(body, self.asking.caller(request)))


def _key(request: Request) -> str:
    key: str = request.path_params["id"]
    return key
