"""Who is calling, by deployment mode."""

import base64
import contextlib
import hmac
import time
from datetime import UTC, datetime

import jwt
import pytest
from axonflow_agent.auth import authenticator as module
from axonflow_agent.auth.authenticator import Authenticator
from axonflow_agent.auth.user_token import UserTokenVerifier
from axonflow_agent.clients.records import Client, secret_digest
from axonflow_contracts.caller import CallerKind
from axonflow_contracts.errors import Fault
from axonflow_settings import DeploymentMode, Secret

SECRET = "teller-secret-0123456789abcdef0123456789"
JWT_KEY = "j" * 32


def client(**changes):
    now = datetime.now(UTC)
    values = {
        "client_id": "teller",
        "org_id": "bank",
        "tenant_id": "tellers",
        "name": "Teller",
        "secret_sha256": secret_digest(SECRET),
        "created_at": now,
        "updated_at": now,
    }
    return Client(**(values | changes))


class Loaded:
    """Credentials held in memory."""

    def __init__(self, *clients, complete=True):
        self._clients = {one.client_id: one for one in clients}
        self.complete = complete

    def find(self, client_id):
        return self._clients.get(client_id)


def authenticate(headers, *clients, mode=DeploymentMode.ENTERPRISE, complete=True):
    tokens = UserTokenVerifier(Secret(JWT_KEY))
    credentials = Loaded(*clients, complete=complete)
    return Authenticator(mode=mode, org_id="org", credentials=credentials, user_tokens=tokens).authenticate(headers)


def basic(client_id="teller", secret=SECRET):
    return {"authorization": "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()}


def user_token(**claims):
    payload = {"user_id": 3, "email": "ann@bank", "tenant_id": "tellers", "exp": int(time.time()) + 60} | claims
    return {module.USER_TOKEN_HEADER: jwt.encode(payload, JWT_KEY, "HS256")}


class TestCommunity:
    def test_no_credentials_are_needed_and_the_org_is_the_deployments(self):
        caller = authenticate({}, mode=DeploymentMode.COMMUNITY).caller
        assert (caller.org_id, caller.tenant_id, caller.client_id) == ("org", "community", "community")
        assert caller.kind is CallerKind.COMMUNITY

    @pytest.mark.parametrize("headers", [{"authorization": "Bearer any-value"}, {"authorization": "Basic !!!"}])
    def test_what_an_sdk_sends_as_a_key_is_ignored(self, headers):
        assert authenticate(headers, mode=DeploymentMode.COMMUNITY).caller.client_id == "community"

    def test_a_basic_user_name_is_attribution_whatever_the_password(self):
        caller = authenticate(basic("billing", "wrong"), mode=DeploymentMode.COMMUNITY).caller
        assert (caller.client_id, caller.tenant_id) == ("billing", "community")


class TestCredentials:
    @pytest.mark.parametrize("mode", [mode for mode in DeploymentMode if mode.asks_for_credentials])
    def test_every_other_mode_asks_for_them(self, mode):
        with pytest.raises(Fault) as caught:
            authenticate({}, client(), mode=mode)
        assert (caught.value.status, caught.value.message) == (401, module.AUTHENTICATION_REQUIRED)
        assert "Basic" in caught.value.headers["WWW-Authenticate"]

    def test_the_right_secret_gives_the_clients_own_org_and_tenant(self):
        caller = authenticate(basic(), client()).caller
        assert (caller.org_id, caller.tenant_id, caller.client_id) == ("bank", "tellers", "teller")

    @pytest.mark.parametrize("headers", [basic(secret="wrong"), basic(client_id="nobody"), basic(secret="")])
    def test_a_wrong_secret_and_an_unknown_client_answer_alike(self, headers):
        with pytest.raises(Fault) as caught:
            authenticate(headers, client())
        assert (caught.value.status, caught.value.message) == (401, module.AUTHENTICATION_FAILED)

    def test_a_disabled_client_is_told_so_only_with_its_right_secret(self):
        with pytest.raises(Fault) as right:
            authenticate(basic(), client(enabled=False))
        with pytest.raises(Fault) as wrong:
            authenticate(basic(secret="wrong"), client(enabled=False))
        assert (right.value.status, wrong.value.status) == (403, 401)

    def test_an_unknown_client_is_not_turned_away_for_good_before_the_clients_are_loaded(self):
        with pytest.raises(Fault) as caught:
            authenticate(basic(), complete=False)
        assert caught.value.status == 503

    def test_secrets_are_compared_in_constant_time_also_for_an_unknown_client(self, monkeypatch):
        compared = []
        real = hmac.compare_digest
        monkeypatch.setattr(module.hmac, "compare_digest", lambda a, b: compared.append((a, b)) or real(a, b))
        for headers in (basic(), basic(client_id="nobody", secret="x")):
            with contextlib.suppress(Fault):
                authenticate(headers, client())
        assert len(compared) == 2
        assert {len(side) for pair in compared for side in pair} == {32}

    def test_the_clients_own_limit_comes_along(self):
        assert authenticate(basic(), client(rate_limit=60)).rate_limit == 60


class TestUserToken:
    def test_a_valid_token_names_the_person(self):
        assert authenticate(basic() | user_token(role="analyst"), client()).caller.user.role == "analyst"

    def test_without_a_token_the_client_itself_is_the_user(self):
        user = authenticate(basic(), client()).caller.user
        assert (user.email, user.role) == ("teller@axonflow.local", "service")

    def test_an_invalid_token_is_401(self):
        with pytest.raises(Fault) as caught:
            authenticate(basic() | {module.USER_TOKEN_HEADER: "a.b.c"}, client())
        assert (caught.value.status, caught.value.message) == (401, "Invalid user token")

    @pytest.mark.parametrize("tenant_id", ["others", ""])
    def test_a_token_of_another_tenant_or_of_none_is_403(self, tenant_id):
        with pytest.raises(Fault) as caught:
            authenticate(basic() | user_token(tenant_id=tenant_id), client())
        assert (caught.value.status, caught.value.message) == (403, "Tenant mismatch")
