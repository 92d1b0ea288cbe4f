"""The table of error envelopes and the verdict vocabulary."""

import pytest
from axonflow_contracts.errors import Fault, Surface, envelope
from axonflow_contracts.verdicts import WIRE_WORDS, Action, Verdict

FAULT = Fault(403, "No.", code="TIER_RESTRICTED", kind="policy_violation", details={"service": "orchestrator"})


@pytest.mark.parametrize(
    ("surface", "body"),
    [
        (
            Surface.OPENAI,
            {"error": {"message": "No.", "type": "policy_violation", "param": None, "code": "TIER_RESTRICTED"}},
        ),
        (Surface.HANDLER, {"success": False, "error": "No.", "service": "orchestrator"}),
        (Surface.MIDDLEWARE, {"error": {"code": 403, "message": "No."}, "service": "orchestrator"}),
        (Surface.FLAT, {"error": "No.", "service": "orchestrator"}),
        (Surface.NESTED, {"error": {"code": "TIER_RESTRICTED", "message": "No.", "service": "orchestrator"}}),
        (
            Surface.WORKFLOW,
            {"error": "tier_restricted", "code": "TIER_RESTRICTED", "message": "No.", "service": "orchestrator"},
        ),
        (
            Surface.MCP_CHECK,
            {"success": False, "error": "No.", "service": "orchestrator", "allowed": False, "block_reason": "No."},
        ),
        (
            Surface.JSON_RPC,
            {"jsonrpc": "2.0", "id": None, "error": {"code": -32000, "message": "No."}, "service": "orchestrator"},
        ),
        (Surface.UNROUTED, {"error": "tier_restricted", "error_description": "No."}),
    ],
)
def test_each_surface_has_its_own_envelope(surface, body):
    assert envelope(surface, FAULT) == body


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 429, 500, 501, 502, 503])
def test_every_surface_renders_every_status_with_a_message(status):
    for surface in Surface:
        assert "No." in str(envelope(surface, Fault(status, "No.")))


def test_every_verdict_has_a_word_on_every_wire():
    for words in WIRE_WORDS.values():
        assert set(words) == set(Verdict)


def test_actions_have_distinct_strengths():
    assert sorted(action.strength for action in Action) == [1, 2, 3, 4, 5]
