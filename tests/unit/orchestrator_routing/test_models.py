"""Globs of models, and who may plausibly serve which."""

from __future__ import annotations

import fnmatch
import re

import pytest
from axonflow_orchestrator.routing.models import ModelLists, matches, may_serve
from axonflow_orchestrator.routing.wishes import Wish
from hypothesis import given
from hypothesis import strategies as st
from support.routing import ORG, TENANT, Configured

TEXTS = st.text(alphabet="ab-4", max_size=8)


@given(TEXTS, st.text(alphabet="ab-4*", max_size=8))
def test_a_glob_means_what_the_standard_library_means_by_a_star(model: str, glob: str) -> None:
    assert matches(model, glob) == bool(re.fullmatch(fnmatch.translate(glob), model))


def test_case_does_not_count_and_other_wildcards_are_letters() -> None:
    assert matches("GPT-4o-Mini", "gpt-4o*")
    assert not matches("gpt-4o", "gpt-4?")
    assert matches("a[1]", "a[1]")


def test_denying_is_stronger_and_an_empty_list_of_policies_allows_nothing() -> None:
    lists = ModelLists(allowed=("gpt-*",), denied=("gpt-4*",))
    wish = Wish(org_id=ORG, tenant_id=TENANT)
    assert lists.permit("gpt-5", wish)
    assert not lists.permit("gpt-4o", wish)
    assert not lists.permit("claude-3", wish)
    assert not ModelLists().permit("gpt-5", Wish(org_id=ORG, tenant_id=TENANT, allowed_models=()))
    assert not ModelLists().permit("gpt-5", Wish(org_id=ORG, tenant_id=TENANT, denied_models=("GPT-5",)))


@pytest.mark.parametrize(
    ("type_", "model", "expected"),
    [
        ("openai", "gpt-4o", True),
        ("openai", "claude-sonnet-4", False),
        ("openai", "ft:gpt-4o:acme", True),
        ("anthropic", "claude-sonnet-4", True),
        ("anthropic", "gpt-4o", False),
        ("gemini", "gemini-2.0-flash", True),
        ("mistral", "gpt-4o", False),
        ("bedrock", "us.anthropic.claude-sonnet-4", True),
        ("bedrock", "claude-sonnet-4", False),
        ("azure-openai", "gpt-4o", False),
        ("ollama", "llama3.1", True),
        ("ollama", "gpt-oss:20b", True),
        ("ollama", "gpt-4o", False),
        ("custom", "claude-3-opus", False),
        ("openrouter", "anything/at-all", True),
        ("demo", "gpt-4o", True),
    ],
)
def test_a_kind_of_provider_serves_its_own_models(type_: str, model: str, expected: bool) -> None:
    assert may_serve(Configured(name="p", type=type_), model) is expected


def test_what_a_definition_names_it_serves() -> None:
    assert may_serve(Configured(name="p", type="azure-openai", default_model="gpt-4o"), "gpt-4o")
    assert may_serve(Configured(name="p", type="custom", allowed_models=("claude-*",)), "claude-3-opus")
