"""Values in paths and queries: encoded for their place, unable to climb, to add a parameter or to name a host."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from axonflow_connectors import ConnectorFault, FaultKind
from axonflow_connectors.templates import fill, with_query
from hypothesis import given
from hypothesis import strategies as st

READABLE = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1)


def test_values_take_their_places() -> None:
    assert fill("/a/{x}/b?q={y}&n={z}", {"x": "1/2", "y": "a&b=c", "z": True}) == (
        "/a/1%2F2/b?q=a%26b%3Dc&n=true",
        {"x", "y", "z"},
    )
    assert with_query("/a", [("q", "x y"), ("n", [1, 2])]) == "/a?q=x%20y&n=1&n=2"
    assert with_query("/a?b=c", [("q", "x")]) == "/a?b=c&q=x"


@given(READABLE, READABLE)
def test_a_value_stays_within_its_segment_and_its_parameter(segment: str, value: str) -> None:
    if segment in {".", ".."}:
        return
    filled, _ = fill("/base/{segment}/end?q={value}", {"segment": segment, "value": value})
    parts = urlsplit(f"http://host{filled}")
    assert parts.netloc == "host"
    assert parts.path.count("/") == 3
    assert parts.fragment == ""
    assert parse_qsl(parts.query, keep_blank_values=True) == [("q", value)]


@pytest.mark.parametrize(
    ("template", "values"),
    [
        ("//evil.example/x", {}),
        ("http://evil.example/x", {}),
        ("@evil.example/", {}),
        ("\\evil", {}),
        ("/a\\b", {}),
        ("/../admin", {}),
        ("/a/%2e%2e/admin", {}),
        ("/a/..%2fadmin", {}),
        ("/a/..;/admin", {}),
        ("/a/{x}", {"x": ".."}),
        ("/a/{x}/b", {"x": "."}),
        ("/a/{x}", {"x": "../admin"}),
        ("/a/{x}{y}/b", {"x": ".", "y": "."}),
        ("/a b", {}),
        ("/a\r\nHost: x", {}),
        ("/a#b", {}),
        ("/a/{x}", {}),
        ("/a/{x}", {"x": "a\r\nb"}),
        ("/a/{x}", {"x": "\x00"}),
        ("/a/{x}", {"x": {"a": 1}}),
        ("/a/{x}", {"x": None}),
        ("/a/{x}", {"x": "\ud800"}),
        ("/a/{x", {"x": "1"}),
        ("/a/%zz", {}),
    ],
)
def test_what_could_lead_elsewhere_is_refused(template: str, values: dict[str, Any]) -> None:
    with pytest.raises(ConnectorFault) as fault:
        fill(template, values)
    assert fault.value.kind is FaultKind.REQUEST
