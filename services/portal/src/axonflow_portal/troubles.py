"""Why a backend could not be read, in sentences that name the variable to mend and what to do."""

from __future__ import annotations

from dataclasses import dataclass

from axonflow_contracts.policies import SourceError

SECRET = "AXONFLOW_INTERNAL_SERVICE_SECRET"  # noqa: S105 - the variable's name
ADDRESS = "AGENT_URL"

_ONE_SECRET = (
    f"Set `{SECRET}` to one value on agent, orchestrator and portal, at least 32 characters long, "
    "and restart them. `openssl rand -hex 32` makes one."
)
WRONG_SECRET_REMEDIES = (
    _ONE_SECRET,
    "Where no service sets it (community only), all three have to use the same database: it is kept there.",
    "Where it is the same everywhere, compare the machines' clocks: a token is good for 60 seconds.",
)
_AGENT_DOWN = (
    "If the agent is down, it lets no call through. If only this address is wrong, enforcement is not affected."
)
_AGENT_JUDGES = "The agent judges with its own copy, so enforcement is not affected. Only this page is blind."


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """One source that failed.

    Attributes:
        source: ``agent`` or ``orchestrator``.
        status: its HTTP status; None when it gave no answer that could be used.
        message: cause, in one or two sentences.
        variable: the environment variable to look at first.
        remedies: what to do, most likely first; text between backquotes is code.
        consequence: what this means for governed calls.
        address: the base URL that was asked.
        title: what could not be read, as the banner's heading.
    """

    source: str
    status: int | None
    message: str
    variable: str
    remedies: tuple[str, ...]
    consequence: str
    address: str
    title: str = "System policies could not be read"

    @property
    def error(self) -> SourceError:
        """The same on the wire."""
        return SourceError(source=self.source, status=self.status, message=self.message)


def _agent(
    address: str, status: int | None, message: str, variable: str, *remedies: str, consequence: str = _AGENT_JUDGES
) -> Trouble:
    return Trouble(
        source="agent",
        status=status,
        message=message,
        variable=variable,
        remedies=remedies,
        consequence=consequence,
        address=address,
    )


def refused(address: str, status: int) -> Trouble:
    """The agent answered, and not with 200."""
    if status in {401, 403}:
        return _wrong_secret(address, status)
    if status in {404, 405} or status < 400:
        message = f"What answers at {ADDRESS} ({address}) is not the agent: it said {status} to the policy list."
        remedy = f"Set `{ADDRESS}` to the agent's own address, and start the portal again."
        return _agent(address, status, message, ADDRESS, remedy, consequence="")
    if status == 429:
        message = f"The agent at {ADDRESS} ({address}) is limiting calls (429)."
        return _agent(address, status, message, ADDRESS, "Wait a minute and try again.")
    message = f"The agent at {ADDRESS} ({address}) failed to list its policies: it answered {status}."
    remedy = "Look at the agent's log at this minute, and at `/ready` on the agent: it says what it is missing."
    return _agent(address, status, message, ADDRESS, remedy)


def wrong_secret_message(service: str, status: int) -> str:
    """A service does not believe the portal."""
    return (
        f"The {service} refused the portal's internal token ({status}): "
        f"{SECRET} is missing on one of the two, or differs."
    )


def _wrong_secret(address: str, status: int) -> Trouble:
    return _agent(address, status, wrong_secret_message("agent", status), SECRET, *WRONG_SECRET_REMEDIES)


def unreachable(address: str) -> Trouble:
    """Nothing answered, or the connection broke."""
    return _agent(
        address,
        None,
        f"The agent does not answer at {ADDRESS} ({address}).",
        ADDRESS,
        "Start the agent, or look at why it ended: `make logs`.",
        f"Where the agent listens elsewhere, set `{ADDRESS}` to that address and start the portal again.",
        consequence=_AGENT_DOWN,
    )


def slow(address: str, timeout_s: float) -> Trouble:
    """No whole answer in time."""
    return _agent(
        address,
        None,
        f"The agent at {ADDRESS} ({address}) did not answer within {timeout_s:g} s.",
        ADDRESS,
        "Look at the load of the agent and of its database; `/ready` on the agent says what it is missing.",
        "`AXONFLOW_PORTAL_BACKEND_TIMEOUT` sets how long this page waits.",
        consequence="",
    )


def unreadable(address: str, status: int) -> Trouble:
    """The answer is not a policy list."""
    return _agent(
        address,
        status,
        f"What answers at {ADDRESS} ({address}) sent no policy list that this portal can read.",
        ADDRESS,
        "Run agent and portal at the same version: both show it at `/health`.",
        f"See that `{ADDRESS}` is the agent and not another server.",
        consequence="",
    )


def short_list(address: str, read: int, promised: int) -> Trouble:
    """The list ended before its own total."""
    message = f"The agent at {ADDRESS} ({address}) promised {promised} policies and sent {read}."
    return _agent(address, 200, message, ADDRESS, "Try again: the list may have changed while it was read.")


def endless_list(address: str, read: int) -> Trouble:
    """The list is longer than this page reads."""
    message = f"The agent at {ADDRESS} ({address}) lists more policies than this page reads; it stopped at {read}."
    return _agent(address, 200, message, ADDRESS, "Ask the agent itself: `GET /api/v1/static-policies`.")
