"""Definitions before anything is opened: the environment, files, ranks, views and seals."""

from __future__ import annotations

from pathlib import Path

import pytest
from axonflow_contracts.caller import Caller, CallerKind
from axonflow_contracts.errors import Fault
from axonflow_orchestrator.provider_settings import ProviderSettings
from axonflow_orchestrator.providers import bodies, finding
from axonflow_orchestrator.providers.definition import Definition, Source
from axonflow_orchestrator.providers.deployment import deployment_definitions, provider_specs
from axonflow_orchestrator.providers.environment import environment_definitions
from axonflow_orchestrator.providers.records import Change, Row
from axonflow_orchestrator.providers.vault import KeysLocked, Vault
from axonflow_sealing import Sealer
from axonflow_settings import Secret, SettingsError, load

CLIENT = Caller(org_id="acme", tenant_id="tellers", client_id="app", kind=CallerKind.CLIENT)
KEY = "5e" * 32


def read(**environ: str) -> ProviderSettings:
    return load(ProviderSettings, environ)


def defined(**environ: str) -> dict[str, Definition]:
    return {each.name: each for each in environment_definitions(read(**environ))}


def row(name: str, tenant_id: str = "", **more: object) -> Row:
    fields = {"org_id": "acme", "tenant_id": tenant_id, "name": name, "id": f"{name}-{tenant_id}", "type": "openai"}
    return Row(**{**fields, **more})  # type: ignore[arg-type]


def test_nothing_is_configured_by_models_and_addresses_of_providers_that_need_a_key() -> None:
    assert (
        defined(OPENAI_MODEL="m", OPENAI_BASE_URL="http://h/v1", ANTHROPIC_MODEL="m", MISTRAL_ENDPOINT="http://h") == {}
    )


def test_each_family_of_variables_configures_its_provider() -> None:
    found = defined(
        OPENAI_API_KEY="k1\n",
        OPENAI_ENDPOINT="http://vllm:8000/",
        OPENAI_MODEL="m1",
        ANTHROPIC_API_KEY="k2",
        GEMINI_API_KEY="k3",
        GOOGLE_MODEL="m3",
        AZURE_OPENAI_API_KEY="k4",
        AZURE_OPENAI_ENDPOINT="https://x.openai.azure.com",
        AZURE_OPENAI_DEPLOYMENT_NAME="d4",
        MISTRAL_API_KEY="k5",
        MISTRAL_ENDPOINT="https://mistral.internal",
        BEDROCK_REGION="eu-central-1",
        AWS_ACCESS_KEY_ID="AKIA",
        AWS_SECRET_ACCESS_KEY="k6",
        LOCAL_LLM_ENDPOINT="http://localhost:11434",
        OLLAMA_TIMEOUT_SECONDS="300",
    )
    assert found.keys() == {"openai", "anthropic", "gemini", "azure-openai", "mistral", "bedrock", "ollama"}
    assert {each.type for each in found.values()} == found.keys()
    assert {each.source for each in found.values()} == {Source.ENVIRONMENT}
    assert all(each.config.trusted for each in found.values())
    assert (found["openai"].endpoint, found["openai"].model) == ("http://vllm:8000/v1", "m1")
    assert found["openai"].api_key == Secret("k1")
    assert (found["gemini"].api_key, found["gemini"].model) == (Secret("k3"), "m3")
    assert found["azure-openai"].model == "d4"
    assert found["azure-openai"].settings == {"api_version": "2024-08-01-preview"}
    assert found["mistral"].endpoint == "https://mistral.internal/v1"
    assert found["bedrock"].settings == {"access_key_id": "AKIA", "secret_access_key": Secret("k6")}
    assert found["bedrock"].regions == {"eu-central-1"}
    assert (found["ollama"].endpoint, found["ollama"].timeout_s) == ("http://localhost:11434/v1", 300)


def test_aws_credentials_of_the_environment_sign_for_the_operators_bedrock_and_no_tenants() -> None:
    settings = read(BEDROCK_REGION="eu-central-1", AWS_ACCESS_KEY_ID="AKIA", AWS_SECRET_ACCESS_KEY="k6")
    [spec] = [each for each in provider_specs(settings) if each.type == "bedrock"]
    [mine] = [each for each in deployment_definitions(settings, provider_specs(settings)) if each.name == "bedrock"]
    assert mine.faults(spec) == []
    theirs = Definition(name="b", type="bedrock", source=Source.DATABASE, region="eu-central-1")
    assert theirs.faults(spec) == ["Amazon Bedrock needs AWS credentials, or an API key of its own"]
    alone = read(BEDROCK_REGION="eu-central-1")
    with pytest.raises(SettingsError, match="needs AWS credentials"):
        deployment_definitions(alone, provider_specs(alone))


def test_openais_base_is_taken_as_its_sdks_read_it() -> None:
    both = defined(OPENAI_API_KEY="k", OPENAI_BASE_URL="http://here/api/v3", OPENAI_ENDPOINT="http://there")
    assert both["openai"].endpoint == "http://here/api/v3"


def test_a_key_may_stand_in_a_file_but_not_in_two_places(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("\n  k-in-a-file \n")
    assert defined(OPENAI_API_KEY_FILE=str(file))["openai"].api_key == Secret("k-in-a-file")
    with pytest.raises(SettingsError, match="OPENAI_API_KEY and OPENAI_API_KEY_FILE are both set"):
        deployment_definitions(read(OPENAI_API_KEY="k", OPENAI_API_KEY_FILE=str(file)), provider_specs(read()))
    file.write_text("  \n")
    with pytest.raises(SettingsError, match="OPENAI_API_KEY_FILE must be a readable file that holds the key"):
        read(OPENAI_API_KEY_FILE=str(file))


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("p.toml", "[llm_providers.x", "not valid TOML"),
        ("p.json", '{"llm_providers": {"x": {"api_key": "sk-canary"', "not valid JSON"),
        ("p.json", "[]", "must be a table"),
        ("p.toml", "llm_providers = 3", "must be a table"),
        ("p.toml", '[llm_providers.openai]\napikey = "sk-canary"', "unknown field `apikey`"),
        ("p.toml", "[llm_providers.openai]\napi_key = 7", r"\$.api_key"),
        ("p.toml", '[llm_providers.openai]\napi_key = "sk-canary"\napi_key_file = "/k"', "are both given"),
        ("p.toml", '[llm_providers.openai]\napi_key_file = "/no/such/file"', "api_key_file must be a readable file"),
        ("p.toml", '[llm_providers.openai]\napi_key = "sk-canary"\nweight = -1', "weight must be"),
        ("p.toml", '[llm_providers.mine]\napi_key = "sk-canary"', "there is no type 'mine'"),
        ("p.toml", "[llm_providers.openai]\n", "needs an API key"),
        ("missing.toml", None, "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_with_its_fault_and_without_its_keys(
    tmp_path: Path, name: str, text: str | None, told: str
) -> None:
    file = tmp_path / name
    if text is not None:
        file.write_text(text)
    with pytest.raises(SettingsError, match=told) as raised:
        deployment_definitions(read(AXONFLOW_CONFIG_FILE=str(file)), provider_specs(read()))
    assert "sk-canary" not in str(raised.value)


def test_a_tenant_sees_its_own_before_the_organisations_before_the_deployments() -> None:
    environment = [Definition(name=name, type="openai", source=Source.ENVIRONMENT) for name in ("a", "b", "c")]
    rows = [row("a"), row("a", "tellers"), row("b"), row("d", "tellers")]
    seen = finding.visible(rows, environment, "tellers", demo=False)
    assert [(each.name, getattr(each, "tenant_id", None)) for each in seen] == [
        ("a", "tellers"),
        ("b", ""),
        ("c", None),
        ("d", "tellers"),
    ]
    assert finding.meant("a", rows, environment, "tellers") is rows[1]
    assert finding.meant("a", rows, environment, None) is rows[0]
    assert finding.meant("c", rows, environment, "tellers") is environment[2]
    everybodys = finding.visible(rows, environment, None, demo=False)
    assert [each.name for each in everybodys] == ["a", "a", "b", "c", "d"]


def test_the_demo_is_listed_alone_or_where_it_was_asked_for() -> None:
    demo = Definition(name="demo", type="demo", source=Source.BUILT_IN)
    assert finding.visible([], [demo], "tellers", demo=False) == [demo]
    assert [each.name for each in finding.visible([row("a")], [demo], "tellers", demo=False)] == ["a"]
    assert [each.name for each in finding.visible([row("a")], [demo], "tellers", demo=True)] == ["a", "demo"]


def test_who_may_change_what() -> None:
    assert finding.changeable(row("a", "tellers"), CLIENT).name == "a"
    for found in (row("a"), *(Definition(name="a", type="openai", source=each) for each in Source)):
        if getattr(found, "source", None) is not Source.DATABASE:
            with pytest.raises(Fault) as raised:
                finding.changeable(found, CLIENT)
            assert raised.value.status == 403


def test_secret_settings_are_taken_apart_kept_replaced_and_removed() -> None:
    [spec] = [each for each in provider_specs(read()) if each.type == "bedrock"]
    settings = {"access_key_id": "AKIA", "secret_access_key": " s1\n", "session_token": "t1", "regions": ["eu"]}
    made, secrets = bodies.apart(row("a", settings=settings), Change(settings=settings), spec, {})
    assert made.settings == {"access_key_id": "AKIA", "regions": ["eu"]}
    assert secrets == {"secret_access_key": Secret("s1"), "session_token": Secret("t1")}
    change = Change(settings={"secret_access_key": "s2", "session_token": ""})
    _, replaced = bodies.apart(bodies.changed(made, change), change, spec, secrets)
    assert replaced == {"secret_access_key": Secret("s2")}
    _, kept = bodies.apart(made, Change(weight=3), spec, secrets)
    assert kept == secrets
    with pytest.raises(Fault, match="secret_access_key must be a text"):
        bodies.apart(row("a", settings={"secret_access_key": 7}), Change(), spec, {})


def test_a_seal_opens_for_its_own_row_alone() -> None:
    vault = Vault(Sealer([Secret(KEY)]))
    sealed = vault.seal({"api_key": Secret("k")}, org_id="acme", provider_id="a-")
    assert sealed is not None
    assert vault.open(row("a", credentials=sealed)) == {"api_key": Secret("k")}
    for other in (row("b", credentials=sealed), row("a", credentials=sealed, org_id="rival")):
        with pytest.raises(KeysLocked):
            vault.open(other)


def test_without_a_sealing_key_only_what_is_secret_cannot_be_kept() -> None:
    vault = Vault(Sealer([]))
    assert vault.seal({}, org_id="acme", provider_id="a") is None
    with pytest.raises(Fault) as raised:
        vault.seal({"api_key": Secret("k")}, org_id="acme", provider_id="a")
    assert (raised.value.status, "AXONFLOW_SEALING_KEY" in raised.value.message) == (503, True)


def test_the_file_that_the_documentation_shows_can_be_read(tmp_path: Path) -> None:
    page = Path(__file__).parents[3].joinpath("docs", "providers.md").read_text("utf-8")
    example = page.split("```toml\n", 1)[1].split("```", 1)[0]
    for secret in ("openai", "aws"):
        tmp_path.joinpath(secret).write_text(f"key of {secret}")
    file = tmp_path / "providers.toml"
    file.write_text(example.replace("/run/secrets", str(tmp_path)).replace("…", "AKIA"), "utf-8")
    found = deployment_definitions(read(AXONFLOW_LLM_CONFIG_FILE=str(file)), provider_specs(read()))
    bedrock, openai = [each for each in found if each.source is Source.FILE]
    assert (openai.api_key, openai.rate_limit, openai.weight) == (Secret("key of openai"), 600, 70)
    assert (bedrock.name, bedrock.type, bedrock.regions) == ("frankfurt", "bedrock", {"eu", "eu-central-1"})
    assert bedrock.settings["secret_access_key"] == Secret("key of aws")
