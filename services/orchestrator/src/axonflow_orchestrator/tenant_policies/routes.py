"""The URL tables of dynamic policies and templates, with what stands behind them put together."""

from __future__ import annotations

from collections.abc import Iterator

from axonflow_governance.changes import ChangeRecord
from axonflow_governance.inputs import InputSealer
from axonflow_settings import Edition
from starlette.routing import BaseRoute, Route

from axonflow_orchestrator.resources import Orchestrator
from axonflow_orchestrator.tenant_policies.asking import Asking
from axonflow_orchestrator.tenant_policies.editor import RuleEditor
from axonflow_orchestrator.tenant_policies.endpoints import PolicyEndpoints
from axonflow_orchestrator.tenant_policies.evaluating import RuleEvaluator
from axonflow_orchestrator.tenant_policies.importing import RuleImporter
from axonflow_orchestrator.tenant_policies.limits import RuleLimits
from axonflow_orchestrator.tenant_policies.reader import RuleReader
from axonflow_orchestrator.tenant_policies.recorded import RecordedCalls
from axonflow_orchestrator.tenant_policies.template_service import TemplateService
from axonflow_orchestrator.tenant_policies.trial_endpoints import TemplateEndpoints, TrialEndpoints
from axonflow_orchestrator.tenant_policies.trials import PolicyTrials

POLICIES, ALIAS, TEMPLATES = "/api/v1/policies", "/api/v1/dynamic-policies", "/api/v1/templates"


def routes(orchestrator: Orchestrator) -> list[BaseRoute]:
    """The families' URL tables; fixed words stand before ``{id}``."""
    settings, database = orchestrator.settings, orchestrator.database
    asking, approvals_act = Asking(settings), settings.edition is not Edition.COMMUNITY
    reader = RuleReader(database, orchestrator.rules, settings.limits.policy_versions_shown)
    limits = RuleLimits(settings.edition, settings.limits)
    editor = RuleEditor(database, orchestrator.rules, limits, ChangeRecord(orchestrator.audit))
    evaluator = RuleEvaluator(reader, orchestrator.policies, settings.environment, approvals_act)
    recorded = RecordedCalls(database, InputSealer(orchestrator.sealer), settings.environment, approvals_act)
    trials = TrialEndpoints(asking, PolicyTrials(evaluator, recorded, settings.edition, settings.limits))
    policies = PolicyEndpoints(asking, reader, editor, RuleImporter(editor), evaluator)
    templates = TemplateEndpoints(asking, TemplateService(reader, editor))
    return [
        Route(f"{POLICIES}/dynamic", policies.loaded, methods=["GET"]),
        Route(f"{POLICIES}/test", policies.try_query, methods=["POST"]),
        Route(f"{POLICIES}/simulate", trials.simulate, methods=["POST"]),
        Route(f"{POLICIES}/impact-report", trials.impact, methods=["POST"]),
        Route(f"{POLICIES}/conflicts", trials.conflicts, methods=["POST"]),
        *_rules(POLICIES, policies),
        *_rules(ALIAS, policies),
        Route("/api/v1/mcp/evaluate-policies", policies.mcp, methods=["POST"]),
        Route("/mcp/evaluate-policies", policies.mcp, methods=["POST"]),
        *_templates(templates),
    ]


def _rules(base: str, policies: PolicyEndpoints) -> Iterator[BaseRoute]:
    yield Route(base, policies.list, methods=["GET"])
    yield Route(base, policies.create, methods=["POST"])
    yield Route(f"{base}/effective", policies.effective, methods=["GET"])
    yield Route(f"{base}/import", policies.import_, methods=["POST"])
    yield Route(f"{base}/export", policies.export, methods=["GET"])
    yield Route(f"{base}/{{id}}", policies.get, methods=["GET"])
    yield Route(f"{base}/{{id}}", policies.update, methods=["PUT"])
    yield Route(f"{base}/{{id}}", policies.delete, methods=["DELETE"])
    yield Route(f"{base}/{{id}}/versions", policies.versions, methods=["GET"])
    yield Route(f"{base}/{{id}}/test", policies.try_rule, methods=["POST"])


def _templates(templates: TemplateEndpoints) -> Iterator[BaseRoute]:
    yield Route(TEMPLATES, templates.list, methods=["GET"])
    yield Route(f"{TEMPLATES}/categories", templates.categories, methods=["GET"])
    yield Route(f"{TEMPLATES}/stats", templates.stats, methods=["GET"])
    yield Route(f"{TEMPLATES}/{{id}}", templates.get, methods=["GET"])
    yield Route(f"{TEMPLATES}/{{id}}/apply", templates.apply, methods=["POST"])
