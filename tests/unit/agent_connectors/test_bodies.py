"""What clients send to connectors, with the places that published SDKs have for it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from axonflow_agent.connectors.bodies import ExecuteBody, QueryBody, Wanted
from axonflow_connectors import Limits
from axonflow_contracts.errors import Fault


def query(**members: Any) -> Wanted:
    return msgspec.convert({"connector": "crm", "statement": "SELECT 1", **members}, QueryBody).wanted()


@pytest.mark.parametrize(
    ("given", "seconds"), [("5s", 5), ("250ms", 0.25), ("1m30s", 90), (2, 2), (None, 30), ("", 30)]
)
def test_a_time_is_a_duration_or_a_number_of_seconds(given: Any, seconds: float) -> None:
    assert query(timeout=given).timeout_s == seconds
    assert query(options={"timeout": given}).timeout_s == seconds


@pytest.mark.parametrize("given", ["soon", "5", "-5s", 0, -1, "0s", "1h", 121, 10**400, float("nan")])
def test_no_other_time_is_taken(given: Any) -> None:
    with pytest.raises(Fault, match="Invalid timeout format") as refused:
        query(timeout=given)
    assert refused.value.status == 400


@pytest.mark.parametrize("given", [-1, "ten", 1.5, True, 10**9])
def test_a_limit_is_a_whole_number(given: Any) -> None:
    with pytest.raises(Fault, match="limit"):
        query(options={"limit": given})


def test_a_list_of_values_reaches_the_connector_in_its_order() -> None:
    wanted = query(parameters=["b", "a", 3])
    call = wanted.call(wanted.ask, Limits())
    assert (call.statement, list(call.parameters)) == ("SELECT 1", ["b", "a", 3])


def test_what_was_masked_is_what_is_asked() -> None:
    wanted = query(parameters={"ssn": "123-45-6789"})
    masked = msgspec.structs.replace(wanted.ask, parameters={"ssn": "***-**-6789"})
    assert wanted.call(masked, Limits()).parameters == {"ssn": "***-**-6789"}


@pytest.mark.parametrize(
    ("members", "operation", "statement"),
    [
        ({"action": "insert", "statement": "INSERT INTO t VALUES (1)"}, "insert", "INSERT INTO t VALUES (1)"),
        ({"action": "post_message"}, "execute", "post_message"),
        ({"action": "POST", "operation": "POST /notes"}, "execute", "POST /notes"),
    ],
)
def test_an_action_is_a_verb_or_the_operation_itself(members: dict[str, str], operation: str, statement: str) -> None:
    ask = msgspec.convert({"connector": "crm", **members}, ExecuteBody).wanted().ask
    assert (ask.operation, ask.statement) == (operation, statement)


@pytest.mark.parametrize("members", [{}, {"action": " "}, {"action": "DELETE"}, {"action": "x" * 101}])
def test_a_write_needs_its_action_and_a_verb_its_statement(members: dict[str, str]) -> None:
    with pytest.raises(Fault, match="field is required"):
        msgspec.convert({"connector": "crm", **members}, ExecuteBody).wanted()
