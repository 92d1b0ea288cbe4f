"""Who asks, and how the family's endpoints answer."""

from __future__ import annotations

from dataclasses import dataclass

from axonflow_contracts.caller import Caller
from axonflow_governance.changes import Author
from axonflow_web import TRACE
from starlette.requests import Request
from starlette.responses import Response

from axonflow_orchestrator import callers
from axonflow_orchestrator.questions import answered
from axonflow_orchestrator.settings import OrchestratorSettings


@dataclass(frozen=True, slots=True)
class Asking:
    """Tells who stands behind a request."""

    settings: OrchestratorSettings

    def caller(self, request: Request) -> Caller:
        """Whom the internal token names; in community a call without one is the deployment's own.

        Raises:
            Fault: 401.
        """
        return callers.caller_of(request, self.settings)

    def readable(self, request: Request) -> callers.Readable:
        """The part of the record that the caller may read.

        Raises:
            Fault: 401.
        """
        return callers.readable_by(self.caller(request), self.settings)

    def author(self, request: Request) -> Author:
        """Who changes something in this request.

        Raises:
            Fault: 401.
        """
        trace = request.scope.get(TRACE)
        return Author(self.caller(request), trace.trace_id if trace is not None else "")


def answer(body: object, status: int = 200) -> Response:
    """``body`` as JSON."""
    return Response(answered(body), status, media_type="application/json")
