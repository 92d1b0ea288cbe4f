"""Variables to values, and every fault at once."""

import dataclasses

import pytest
from axonflow_settings import Secret, SettingsError, load, variable
from axonflow_settings.core import boolean, duration_s, http_url, integer, long_secret, secret


@dataclasses.dataclass(frozen=True)
class Small:
    url: str = variable("URL", "Where.", http_url)
    size: int = variable("SIZE", "How many.", integer(1, 9), 3, aliases=("OLD_SIZE",))
    key: Secret = variable("KEY", "A key.", secret, Secret(""))


def test_every_fault_is_reported_at_once():
    with pytest.raises(SettingsError) as caught:
        load(Small, {"SIZE": "99"})
    assert caught.value.faults == ["URL is not set: Where.", "SIZE must be a whole number from 1 to 9"]


def test_an_empty_variable_counts_as_unset():
    assert load(Small, {"URL": "http://a", "SIZE": "  "}).size == 3


def test_an_older_name_is_read_only_when_the_newer_one_is_unset():
    assert load(Small, {"URL": "http://a", "OLD_SIZE": "4"}).size == 4
    assert load(Small, {"URL": "http://a", "OLD_SIZE": "4", "SIZE": "5"}).size == 5


def test_a_secret_shows_itself_to_nobody():
    settings = load(Small, {"URL": "http://a", "KEY": "hunter2"})
    assert "hunter2" not in f"{settings} {settings.key} {settings.key!r}"
    assert settings.key.reveal() == "hunter2"


@pytest.mark.parametrize(
    ("text", "seconds"), [("10s", 10.0), ("1m30s", 90.0), ("250ms", 0.25), ("1h", 3600.0), ("1.5s", 1.5)]
)
def test_durations_are_read_as_seconds(text, seconds):
    assert duration_s(text) == seconds


@pytest.mark.parametrize("text", ["", "10", "s", "-1s", "1s1m", "ten seconds"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(ValueError, match="a duration such as"):
        duration_s(text)


@pytest.mark.parametrize("text", ["ftp://a", "http://u:p@a", "http://a?b", "http://", "a", "http://a#f", "http://a b"])
def test_what_is_no_plain_address_is_refused(text):
    with pytest.raises(ValueError, match="http"):
        http_url(text)


def test_an_address_loses_its_trailing_slash():
    assert http_url("https://models.internal:8443/v1/") == "https://models.internal:8443/v1"


def test_a_short_secret_is_refused_without_being_quoted():
    with pytest.raises(ValueError, match="at least 32 characters") as caught:
        long_secret("x" * 31)
    assert "xxx" not in str(caught.value)
    assert long_secret("x" * 32).reveal() == "x" * 32


@pytest.mark.parametrize("text", ["maybe", "2", "t"])
def test_what_is_neither_true_nor_false_is_refused(text):
    with pytest.raises(ValueError, match="true or false"):
        boolean(text)
