"""What a model provider is: what goes in, what comes out, how it fails. No wire format is named here."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Mapping
from typing import Any, Protocol

from axonflow_settings import Secret


class Role(enum.StrEnum):
    """Who speaks."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A picture beside a text.

    Attributes:
        data: the file's bytes.
        mime_type: ``image/png`` and the like, as its bytes prove it.
    """

    data: bytes
    mime_type: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One turn of a conversation."""

    role: Role
    text: str
    images: tuple[Image, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A function that the model may ask to be called.

    Attributes:
        parameters: JSON schema of its arguments.
    """

    name: str
    description: str = ""
    parameters: Mapping[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ModelRequest:
    """One call to a model, in no provider's words.

    Attributes:
        model: as the provider names it; for Azure the deployment.
        max_tokens: most tokens of the answer; None leaves it to the provider, where it may be left.
        json_schema: the answer must be JSON of this schema; an empty mapping asks for any JSON object.
        timeout_s: connecting, asking and reading together.
        headers: of tracing, such as ``traceparent``; sent as they are.
    """

    model: str
    messages: tuple[Message, ...]
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    stop: tuple[str, ...] = ()
    tools: tuple[Tool, ...] = ()
    json_schema: Mapping[str, Any] | None = None
    timeout_s: float = 30.0
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TokenUsage:
    """Tokens as the provider counted them.

    Attributes:
        prompt: all tokens that went in, those served from a cache included.
        completion: all tokens that came out, reasoning included.
        cached: of ``prompt``, those read from the provider's cache.
        cache_writes: of ``prompt``, those written to the provider's cache.
        reasoning: of ``completion``, those that nobody is shown.
        estimated: the provider did not say, so they were counted from the texts.
    """

    prompt: int = 0
    completion: int = 0
    cached: int = 0
    cache_writes: int = 0
    reasoning: int = 0
    estimated: bool = False


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """A call that the model asks for.

    Attributes:
        arguments: JSON text, as the model wrote it.
    """

    id: str
    name: str
    arguments: str


class Finish(enum.StrEnum):
    """Why the model stopped."""

    STOP = "stop"
    LENGTH = "length"
    TOOL_CALLS = "tool_calls"
    CONTENT_FILTER = "content_filter"
    OTHER = "other"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ModelReply:
    """What a model answered.

    Attributes:
        model: as the provider says who answered; the asked one where it does not.
        response_id: the provider's own id; empty where it gives none.
    """

    text: str
    model: str
    usage: TokenUsage
    finish: Finish = Finish.STOP
    tool_calls: tuple[ToolCall, ...] = ()
    response_id: str = ""


class FaultKind(enum.StrEnum):
    """How a call to a provider can fail."""

    CREDENTIALS = "credentials"  # the key is missing, wrong, or may not use this
    UNKNOWN_MODEL = "unknown_model"
    INVALID_REQUEST = "invalid_request"  # the request itself: another provider would refuse it as well
    TOO_LONG = "too_long"  # more tokens than the model takes
    CONTENT_FILTER = "content_filter"  # the provider's own policy refused it
    RATE_LIMITED = "rate_limited"
    QUOTA = "quota"  # the account has run out of money or quota
    OVERLOADED = "overloaded"
    SERVER = "server"
    UNREACHABLE = "unreachable"  # nothing was sent
    TIMEOUT = "timeout"
    MALFORMED = "malformed"  # an answer that is not what the provider promises, cut off or too large
    REFUSED_ADDRESS = "refused_address"  # the operator's egress rules


_RETRYABLE = frozenset({FaultKind.RATE_LIMITED, FaultKind.OVERLOADED, FaultKind.SERVER, FaultKind.UNREACHABLE})
_OF_THE_REQUEST = frozenset({FaultKind.INVALID_REQUEST, FaultKind.TOO_LONG, FaultKind.CONTENT_FILTER})
_MAY_HAVE_RUN = frozenset({FaultKind.TIMEOUT, FaultKind.MALFORMED})


class ProviderFault(Exception):
    """A call that gave no reply; its message is ours, never a provider's text, which may repeat the prompt or the key.

    Attributes:
        kind: what went wrong.
        status: the provider's HTTP status; 0 where there was none.
        code: the provider's own short code, at most 64 characters of ``[A-Za-z0-9_.-]``; empty without one.
        retry_after_s: when it said to come back.
        usage: what it counted all the same, where the answer said so.
    """

    def __init__(
        self,
        kind: FaultKind,
        message: str,
        *,
        status: int = 0,
        code: str = "",
        retry_after_s: float | None = None,
        usage: TokenUsage | None = None,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.status = status
        self.code = code
        self.retry_after_s = retry_after_s
        self.usage = usage

    @property
    def retryable(self) -> bool:
        """Whether the same provider may do better in a moment."""
        return self.kind in _RETRYABLE

    @property
    def of_the_request(self) -> bool:
        """Whether the request is at fault, so that neither a retry nor another provider helps."""
        return self.kind in _OF_THE_REQUEST

    @property
    def may_have_run(self) -> bool:
        """Whether the model may have worked, and cost money, although nothing came back."""
        return self.kind in _MAY_HAVE_RUN


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ProviderConfig:
    """One configured provider.

    Attributes:
        name: how requests and policies call it.
        type: which wire format; a key of the registry.
        endpoint: base URL; empty is the type's own.
        model: answers where a request names none; empty is the type's own.
        trusted: whether the operator gave the endpoint (environment, file), so that private addresses may be dialled;
            others pass the egress rules (rulings section 8).
        settings: what the type needs besides, such as ``api_version``.
    """

    name: str
    type: str
    endpoint: str = ""
    model: str = ""
    region: str = ""
    api_key: Secret | None = None
    timeout_s: float = 30.0
    trusted: bool = False
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True)
class HttpAnswer:
    """A reply read whole; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Transport(Protocol):
    """HTTP to one provider, under its config's egress rules; follows no redirect, keeps no cookie."""

    async def send(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes = b"", timeout_s: float
    ) -> HttpAnswer:
        """One request.

        Raises:
            ProviderFault: ``UNREACHABLE``, ``TIMEOUT``, ``MALFORMED`` (cut off, or larger than the limit),
                ``REFUSED_ADDRESS``.
        """
        ...


class Provider(Protocol):
    """One configured provider, ready to be asked; safe for many calls at once."""

    @property
    def config(self) -> ProviderConfig:
        """What it was made from."""
        ...

    async def complete(self, request: ModelRequest) -> ModelReply:
        """Ask the model once: no retry, no fallback.

        Raises:
            ProviderFault: it gave no usable reply.
        """
        ...

    async def probe(self, timeout_s: float) -> None:
        """Ask whether it would answer, without using a model where that can be had.

        Raises:
            ProviderFault: it would not.
        """
        ...
