"""Addresses and headers of provider calls, built so that a model's name or a key can change neither."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote, urlencode, urlsplit

from axonflow_outbound import parse_url

from axonflow_providers.protocol import FaultKind, ProviderFault

LONGEST_MODEL = 256
# Names, paths (`meta-llama/Llama-3`) and ARNs; anything that could end a line or hide in a log is none.
_MODEL = re.compile(r"[!-~](?:[ -~]*[!-~])?")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"[\t -~]*")


def model_named(asked: str, *fallbacks: str) -> str:
    """The first name that is not empty.

    Raises:
        ProviderFault: ``UNKNOWN_MODEL``: there is none, or it cannot be a model's name.
    """
    model = next(filter(None, (asked, *fallbacks)), "")
    if not model:
        raise ProviderFault(FaultKind.UNKNOWN_MODEL, "No model is named, and none is configured")
    if len(model) > LONGEST_MODEL or not _MODEL.fullmatch(model):
        raise ProviderFault(FaultKind.UNKNOWN_MODEL, "The name of the model is not well-formed")
    return model


def url_of(base: str, *segments: str, query: Mapping[str, str] | None = None) -> str:
    """``base`` with path segments and a query behind it, each percent-encoded whole: ``a/b`` stays one segment.

    Raises:
        ProviderFault: ``UNKNOWN_MODEL``: a segment that would move up the path, or none at all.
    """
    for segment in segments:
        if segment.strip(".") == "":
            raise ProviderFault(FaultKind.UNKNOWN_MODEL, "The name of the model is not well-formed")
    path = "/".join((base.rstrip("/"), *(quote(segment, safe="") for segment in segments)))
    return f"{path}?{urlencode(query)}" if query else path


def merged_headers(given: Mapping[str, str], ours: Mapping[str, str]) -> dict[str, str]:
    """Names in lower case; where both have one, ours stands, so that a request's headers replace no key."""
    return {name.lower(): value for headers in (given, ours) for name, value in headers.items()}


def checked_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers as they are.

    Raises:
        ProviderFault: ``INVALID_REQUEST``: one has a line break, a control character, or one outside ASCII.
    """
    for name, value in headers.items():
        if not _HEADER_NAME.fullmatch(name) or not _HEADER_VALUE.fullmatch(value):
            raise ProviderFault(FaultKind.INVALID_REQUEST, "A header of the call cannot be sent: it is not plain text")
    return dict(headers)


def header_safe(value: str) -> bool:
    """Whether ``value`` may be sent in a header: printable ASCII, no line break."""
    return _HEADER_VALUE.fullmatch(value) is not None


def endpoint_fault(endpoint: str) -> str | None:
    """What is wrong with a configured base URL, as a sentence; None when it can be called."""
    try:
        parse_url(endpoint)
        parts = urlsplit(endpoint)
    except ValueError as error:
        return f"The endpoint {error}"
    if parts.query or parts.fragment or endpoint.endswith(("?", "#")):
        return "The endpoint has a query or a fragment: give the base URL alone"
    return None
