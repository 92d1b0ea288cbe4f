"""Why nothing came back from outside: a refusal of ours, or a failure on the way."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Literal

import aiohttp

from axonflow_outbound.hosts import HostInvalid

Reason = Literal["unreachable", "timeout", "oversize", "unreadable"]


class EgressRefused(Exception):
    """The address may not be dialled.

    ``message`` is public and names the host as the caller gave it, never what it resolved to.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class OutboundFailed(Exception):
    """There is no usable reply; the client's own error is the cause."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


@contextlib.contextmanager
def refusing_malformed() -> Iterator[None]:
    """Turn a malformed host or URL into a refusal."""
    try:
        yield
    except HostInvalid as error:
        raise EgressRefused(f"The address {error}") from error


@contextlib.contextmanager
def client_failures() -> Iterator[None]:
    """Turn the HTTP client's ways of failing into ``OutboundFailed``."""
    try:
        yield
    except TimeoutError as error:
        raise OutboundFailed("timeout") from error
    except (aiohttp.ClientPayloadError, aiohttp.ClientResponseError) as error:
        raise OutboundFailed("unreadable") from error
    except (aiohttp.ClientError, OSError) as error:
        raise OutboundFailed("unreachable") from error
