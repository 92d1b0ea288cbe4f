"""``POST /api/v1/mcp/check-input`` and ``/check-output``: a verdict on what others will ask, or were told."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable

from axonflow_contracts.errors import Surface
from axonflow_contracts.verdicts import Plane
from starlette.responses import Response

from axonflow_agent.governed import Adapter, Call
from axonflow_agent.mcp import answers
from axonflow_agent.mcp.bodies import CheckInputBody, CheckOutputBody
from axonflow_agent.mcp.checks import Checks
from axonflow_agent.mcp.repeats import Repeats

INPUT_PATH = "/api/v1/mcp/check-input"
OUTPUT_PATH = "/api/v1/mcp/check-output"
DENIED, ALLOWED = 403, 200


@dataclasses.dataclass(frozen=True, slots=True)
class CheckPlanes:
    """Both checks; a denial is a 403 with the same members as a 200.

    Attributes:
        overrides_act: whether this edition has overrides, so that answers may offer one.
    """

    checks: Checks
    repeats: Repeats
    overrides_act: bool

    def adapters(self) -> list[Adapter]:
        """The planes as the governed call takes them."""
        return [
            _adapter(INPUT_PATH, "mcp_check_input", self.input),
            _adapter(OUTPUT_PATH, "mcp_check_output", self.output),
        ]

    async def input(self, call: Call) -> Response:
        """Judge what is to be asked, once for each ``Idempotency-Key``."""

        async def work() -> Response:
            body = call.read(CheckInputBody)
            ask = body.ask()
            body.claim(call)
            checked = self.checks.begin(call, ask)
            await checked.judge_request()
            await checked.record()
            return call.json(
                answers.check_input(checked, overrides_act=self.overrides_act), DENIED if checked.denied else ALLOWED
            )

        return await self.repeats.once(call, INPUT_PATH, work)

    async def output(self, call: Call) -> Response:
        """Judge and mask what was answered."""
        body = call.read(CheckOutputBody)
        ask, reply = body.reply()
        body.claim(call)
        checked = self.checks.begin(call, ask)
        await checked.judge_response(reply)
        await checked.record()
        return call.json(
            answers.check_output(checked, overrides_act=self.overrides_act), DENIED if checked.denied else ALLOWED
        )


def _adapter(path: str, kind: str, answer: Callable[[Call], Awaitable[Response]]) -> Adapter:
    return Adapter(
        path=path,
        plane=Plane.MCP,
        kind=kind,
        surface=Surface.MCP_CHECK,
        door_surface=Surface.MCP_CHECK,
        answer=answer,
        admits_services=True,
    )
