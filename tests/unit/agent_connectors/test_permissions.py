"""Who may use which connector."""

from __future__ import annotations

import pytest
from axonflow_agent.connectors.permissions import permit
from axonflow_contracts.caller import Caller, CallerKind, User
from axonflow_contracts.errors import Fault


def caller(*permissions: str, user_id: str = "7", kind: CallerKind = CallerKind.CLIENT) -> Caller:
    user = User(id=user_id, permissions=permissions)
    return Caller(org_id="o", tenant_id="t", client_id="app", kind=kind, user=user)


CLIENT = caller(user_id="")


@pytest.mark.parametrize(
    ("held", "operation"),
    [
        ("*", "execute"),
        ("admin", "execute"),
        ("mcp_query", "query"),
        ("mcp_execute", "execute"),
        ("crm", "query"),
        ("crm", "execute"),
        ("crm:*", "execute"),
        ("crm:query", "query"),
    ],
)
def test_each_word_opens_what_it_says(held: str, operation: str) -> None:
    permit(CLIENT, (held,), "crm", operation)
    permit(caller(held), (), "crm", operation)


@pytest.mark.parametrize(
    ("held", "message"),
    [
        ("mcp_query", "Unauthorized connector access"),
        ("query", "Unauthorized connector access"),
        ("crm2", "Unauthorized connector access"),
        ("crm:query", "Permission denied: service app connector crm operation execute"),
    ],
)
def test_no_word_opens_more(held: str, message: str) -> None:
    for who, client_permissions in ((CLIENT, (held,)), (caller(held), ())):
        with pytest.raises(Fault) as refused:
            permit(who, client_permissions, "crm", "execute")
        assert (refused.value.status, refused.value.message) == (403, message)


def test_a_client_without_a_list_is_not_restricted_and_a_person_without_one_is() -> None:
    permit(CLIENT, (), "crm", "execute")
    with pytest.raises(Fault):
        permit(caller(), (), "crm", "query")


def test_both_must_hold() -> None:
    permit(caller("mcp_query"), ("crm",), "crm", "query")
    with pytest.raises(Fault):
        permit(caller("mcp_query"), ("notes",), "crm", "query")
    with pytest.raises(Fault):
        permit(caller("notes"), ("crm",), "crm", "query")


def test_a_service_acts_on_its_own_word() -> None:
    permit(caller(kind=CallerKind.SERVICE), (), "crm", "execute")
