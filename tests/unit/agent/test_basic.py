"""Reading an Authorization header."""

import base64

import pytest
from axonflow_agent.auth.basic import parse_basic


def header(text):
    return "Basic " + base64.b64encode(text if isinstance(text, bytes) else text.encode()).decode()


def test_client_id_and_secret_are_read_and_a_secret_may_hold_colons():
    assert parse_basic(header("app:a:b")) == ("app", "a:b")


def test_the_scheme_is_read_in_any_case():
    assert parse_basic(header("app:s").replace("Basic", "bAsIc")) == ("app", "s")


def test_an_empty_secret_is_an_empty_secret():
    assert parse_basic(header("community:")) == ("community", "")


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "Basic",
        "Basic ",
        "Bearer abc",
        "Basic !!!!",
        "Basic YWJj",
        header(b"app:\xff"),
        header("app:\x00"),
        header("app:a\nb"),
        header("a" * 65_536 + ":b"),
    ],
)
def test_what_is_not_well_formed_is_no_credential(value):
    assert parse_basic(value) is None
