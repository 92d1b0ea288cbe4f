"""Why a governed call could not be made or recorded; both mean that the caller is refused."""

from __future__ import annotations

from collections.abc import Mapping


class JudgementFailed(Exception):
    """No verdict could be made: no policy set is loaded, or the engine failed. Never read as "no match".

    Attributes:
        public: the sentence for the caller; the exception's own text is for logs.
        code: a short word for the row and for envelopes that carry one.
        headers: for the answer, such as ``Retry-After``.
    """

    public = "No policy verdict could be made: the call is refused"
    code = ""

    def __init__(self, text: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(text)
        self.headers = dict(headers or {})


class CallStopped(JudgementFailed):
    """An open circuit refuses the call; its text is for the caller too."""

    code = "circuit_breaker"

    def __init__(self, text: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(text, headers)
        self.public = text


class PolicySetUnavailable(Exception):
    """The stored policies could not be read whole; the set that is loaded stays in force."""


class PoliciesRefused(Exception):
    """Policies that cannot be compiled within their limits; the text says why, for whoever wrote them."""


class CompilerUnavailable(Exception):
    """No process could be started to compile policies in."""
