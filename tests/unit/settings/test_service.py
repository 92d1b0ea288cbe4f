"""Modes, editions and the rules over several variables."""

import pytest
from axonflow_settings import DeploymentMode, Edition, ServiceSettings, SettingsError, load
from axonflow_settings.deployment import EDITIONS

DATABASE = {"DATABASE_URL": "postgresql://u:p@h/d"}


def test_community_needs_nothing_but_a_database():
    settings = load(ServiceSettings, DATABASE)
    assert (settings.mode, settings.edition) == (DeploymentMode.COMMUNITY, Edition.COMMUNITY)
    assert settings.internal_secret is None


def test_an_unknown_mode_refuses_to_boot_and_names_the_legal_ones():
    with pytest.raises(SettingsError, match="DEPLOYMENT_MODE must be one of community, community-saas"):
        load(ServiceSettings, {**DATABASE, "DEPLOYMENT_MODE": "prod"})


@pytest.mark.parametrize("mode", [mode for mode in DeploymentMode if not mode.value.startswith("community")])
def test_every_other_mode_needs_the_internal_secret(mode):
    with pytest.raises(SettingsError, match="AXONFLOW_INTERNAL_SERVICE_SECRET is not set"):
        load(ServiceSettings, {**DATABASE, "DEPLOYMENT_MODE": mode.value})


def test_a_short_internal_secret_refuses_to_boot_in_any_mode():
    with pytest.raises(SettingsError, match="AXONFLOW_INTERNAL_SERVICE_SECRET must be at least 32"):
        load(ServiceSettings, {**DATABASE, "AXONFLOW_INTERNAL_SERVICE_SECRET": "x" * 31})


def test_the_tier_can_be_set_apart_from_the_mode():
    settings = load(ServiceSettings, {**DATABASE, "AXONFLOW_TIER": "enterprise"})
    assert settings.mode is DeploymentMode.COMMUNITY
    assert settings.edition is Edition.ENTERPRISE


def test_without_a_database_the_boot_is_refused():
    with pytest.raises(SettingsError, match="DATABASE_URL is not set"):
        load(ServiceSettings, {})


def test_the_parts_of_an_address_make_the_address():
    settings = load(ServiceSettings, {"DATABASE_HOST": "db", "DATABASE_PASSWORD": "p@ss/word"})
    assert settings.owner_dsn.reveal() == "postgresql://axonflow:p%40ss%2Fword@db:5432/axonflow?sslmode=prefer"


def test_a_higher_edition_is_never_less():
    for field in EDITIONS[Edition.COMMUNITY].__struct_fields__:
        numbers = [getattr(EDITIONS[edition], field) for edition in Edition]
        ranked = [float("inf") if number == -1 else number for number in numbers]
        assert ranked == sorted(ranked), field


def test_one_limit_can_be_overridden_alone():
    settings = load(ServiceSettings, {**DATABASE, "AXONFLOW_LIMIT_PLANS": "7", "AXONFLOW_LIMIT_CONNECTORS": "-1"})
    assert (settings.limits.plans, settings.limits.connectors) == (7, -1)
    assert settings.limits.llm_providers == EDITIONS[Edition.COMMUNITY].llm_providers


def test_an_override_of_no_known_limit_refuses_to_boot():
    with pytest.raises(SettingsError, match="AXONFLOW_LIMIT_PLANTS is not known"):
        load(ServiceSettings, {**DATABASE, "AXONFLOW_LIMIT_PLANTS": "7"})


def test_inputs_are_sealed_only_where_there_is_a_key() -> None:
    asked = {"DATABASE_URL": "postgresql://nowhere", "AXONFLOW_RECORD_INPUT": "sealed"}
    assert load(ServiceSettings, asked).record_input == "sealed"  # community makes a key on first start
    enterprise = {**asked, "DEPLOYMENT_MODE": "enterprise", "AXONFLOW_INTERNAL_SERVICE_SECRET": "x" * 32}
    with pytest.raises(SettingsError, match="AXONFLOW_RECORD_INPUT=sealed needs AXONFLOW_SEALING_KEY"):
        load(ServiceSettings, enterprise)
    assert load(ServiceSettings, {**enterprise, "AXONFLOW_SEALING_KEY": "ab" * 32}).record_input == "sealed"
