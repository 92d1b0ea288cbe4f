"""Which headers cross the agent."""

from __future__ import annotations

import pytest
from axonflow_agent.forward import Target
from axonflow_agent.forward.headers import forwarded_headers, identity_headers, relayed_headers
from axonflow_contracts.caller import Caller, CallerKind, User

KEPT = [(b"accept", b"*/*"), (b"accept", b"text/event-stream"), (b"content-type", b"application/json")]
KEPT += [(b"idempotency-key", b"k"), (b"x-axonflow-client", b"sdk-python/8.4.0"), (b"user-agent", b"u")]

DROPPED = [
    b"authorization", b"connection", b"content-length", b"expect", b"forwarded", b"host", b"keep-alive",
    b"proxy-authorization", b"te", b"traceparent", b"trailer", b"transfer-encoding", b"upgrade", b"x-admin-api-key",
    b"x-axonflow-internal-token", b"x-axonflow-proxy-auth", b"x-axonflow-user-token", b"x-client-id",
    b"x-forwarded-for", b"x-internal-service-id", b"x-internal-service-token", b"x-org-id", b"x-provider-key",
    b"x-real-ip", b"x-tenant-id", b"x-user-email", b"x-user-id", b"x-user-role",
]  # fmt: skip


def test_what_describes_the_request_is_forwarded():
    assert forwarded_headers(KEPT, Target.ORCHESTRATOR) == [(name.decode(), value.decode()) for name, value in KEPT]


@pytest.mark.parametrize("name", DROPPED)
@pytest.mark.parametrize("target", Target)
def test_identity_credentials_and_hops_are_not(name: bytes, target: Target):
    assert forwarded_headers([(name, b"evil")], target) == []


def test_a_header_that_connection_names_is_for_one_hop():
    headers = [(b"connection", b"keep-alive, X-Hop"), (b"x-hop", b"1"), (b"x-stay", b"2")]
    assert forwarded_headers(headers, Target.ORCHESTRATOR) == [("x-stay", "2")]
    assert relayed_headers([(b"Connection", b"X-Hop"), (b"X-Hop", b"1"), (b"X-Stay", b"2")]) == [(b"x-stay", b"2")]


def test_only_the_portal_sees_cookies():
    cookie = [(b"cookie", b"axonflow_session=s")]
    assert forwarded_headers(cookie, Target.ORCHESTRATOR) == []
    assert forwarded_headers(cookie, Target.PORTAL) == [("cookie", "axonflow_session=s")]


def test_a_reply_keeps_what_concerns_the_client():
    reply = [(b"Set-Cookie", b"a=1"), (b"Set-Cookie", b"b=2"), (b"Retry-After", b"3"), (b"Content-Encoding", b"gzip")]
    noise = [(b"Date", b"now"), (b"Server", b"x"), (b"Transfer-Encoding", b"chunked"), (b"Connection", b"close")]
    assert relayed_headers([*reply, *noise]) == [(name.lower(), value) for name, value in reply]


def test_the_agents_stamp_names_the_caller():
    user = User(id="7", email="a@b.c")
    caller = Caller(org_id="acme", tenant_id="t", client_id="c", kind=CallerKind.CLIENT, user=user)
    assert dict(identity_headers(caller)) == {
        "X-Org-ID": "acme", "X-Tenant-ID": "t", "X-Client-ID": "c", "X-User-ID": "7", "X-User-Email": "a@b.c",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["evil\r\nX-Org-ID: other", "caf\u00e9", "a\0b", ""])
def test_a_name_that_no_header_can_carry_is_left_to_the_token(name: str):
    caller = Caller(org_id="acme", tenant_id="t", client_id=name, kind=CallerKind.COMMUNITY)
    assert "X-Client-ID" not in dict(identity_headers(caller))
