"""What a reader is told when the agent cannot be read."""

from __future__ import annotations

import pytest
from axonflow_portal import troubles
from axonflow_portal.troubles import Trouble

ADDRESS = "http://agent.internal:8080"

EVERY_TROUBLE = [
    *(troubles.refused(ADDRESS, status) for status in (204, 301, 400, 401, 403, 404, 405, 429, 500, 503)),
    troubles.unreachable(ADDRESS),
    troubles.slow(ADDRESS, 10.0),
    troubles.unreadable(ADDRESS, 200),
    troubles.short_list(ADDRESS, 3, 90),
    troubles.endless_list(ADDRESS, 10_000),
]


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_token_names_the_secrets_variable(status: int) -> None:
    trouble = troubles.refused(ADDRESS, status)
    assert trouble.variable == "AXONFLOW_INTERNAL_SERVICE_SECRET"
    assert "AXONFLOW_INTERNAL_SERVICE_SECRET" in trouble.message
    assert trouble.error.status == status


@pytest.mark.parametrize("trouble", [troubles.unreachable(ADDRESS), troubles.refused(ADDRESS, 404)])
def test_an_agent_that_is_not_there_names_its_address_and_variable(trouble: Trouble) -> None:
    assert trouble.variable == "AGENT_URL"
    assert "AGENT_URL" in trouble.message
    assert ADDRESS in trouble.message


@pytest.mark.parametrize("trouble", EVERY_TROUBLE)
def test_every_trouble_says_its_cause_its_variable_and_what_to_do(trouble: Trouble) -> None:
    assert trouble.variable in trouble.message or trouble.variable in "".join(trouble.remedies)
    assert trouble.message.endswith(".")
    assert trouble.remedies
    assert trouble.error.source == "agent"


def test_no_answer_has_no_status() -> None:
    assert troubles.unreachable(ADDRESS).error.status is None
