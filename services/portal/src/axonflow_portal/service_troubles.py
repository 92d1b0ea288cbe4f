"""Why a service did not answer what a page about the record asks, in the words of `troubles`."""

from __future__ import annotations

from dataclasses import dataclass

from axonflow_portal.troubles import SECRET, WRONG_SECRET_REMEDIES, Trouble, wrong_secret_message

_RECORDING = "Calls go on being judged and recorded. Only this page is blind."


@dataclass(frozen=True, slots=True)
class ServiceTroubles:
    """The failures of reading one thing from one service.

    Attributes:
        service: ``agent`` or ``orchestrator``.
        variable: where its address is set.
        address: the base URL that was asked.
        what: what could not be read, as a subject in the plural.
    """

    service: str
    variable: str
    address: str
    what: str

    def refused(self, status: int, cause: str = "") -> Trouble:
        """An answer that is not 200; ``cause`` is what it says."""
        if status in {401, 403}:
            return self._of(status, wrong_secret_message(self.service, status), SECRET, *WRONG_SECRET_REMEDIES)
        said = f": {cause}" if cause else ""
        if status in {404, 405, 501} or status < 400:
            message = f"What answers at {self._place} does not serve this: it said {status}{said}."
            return self._of(
                status,
                message,
                self.variable,
                f"Set `{self.variable}` to the {self.service}'s own address, and start the portal again.",
                "Run all services at the same version: each shows it at `/health`.",
            )
        if status == 429:
            message = f"The {self.service} at {self._place} is limiting calls (429)."
            return self._of(status, message, self.variable, "Wait a minute and try again.")
        return self._of(
            status,
            f"The {self.service} at {self._place} answered {status}{said}.",
            self.variable,
            f"Look at `/ready` on the {self.service}: it says what it is missing.",
            f"Look at the {self.service}'s log at this minute.",
        )

    def unreachable(self) -> Trouble:
        """Nothing answered, or the connection broke."""
        return self._of(
            None,
            f"The {self.service} does not answer at {self._place}.",
            self.variable,
            f"Start the {self.service}, or look at why it ended: `make logs`.",
            f"Where the {self.service} listens elsewhere, set `{self.variable}` to that address and start the portal "
            "again.",
        )

    def slow(self, timeout_s: float) -> Trouble:
        """No whole answer in time."""
        return self._of(
            None,
            f"The {self.service} at {self._place} did not answer within {timeout_s:g} s.",
            self.variable,
            "Ask for a shorter time: less has to be read.",
            "`AXONFLOW_PORTAL_BACKEND_TIMEOUT` sets how long this page waits.",
        )

    def unreadable(self, status: int) -> Trouble:
        """An answer in another shape."""
        return self._of(
            status,
            f"What answers at {self._place} sent nothing that this portal can read.",
            self.variable,
            "Run all services at the same version: each shows it at `/health`.",
            f"See that `{self.variable}` is the {self.service} and not another server.",
        )

    @property
    def _place(self) -> str:
        return f"{self.variable} ({self.address})"

    def _of(self, status: int | None, message: str, variable: str, *remedies: str) -> Trouble:
        return Trouble(
            source=self.service,
            status=status,
            message=message,
            variable=variable,
            remedies=remedies,
            consequence="" if self.service == "agent" and status is None else _RECORDING,
            address=self.address,
            title=f"{self.what[:1].upper()}{self.what[1:]} could not be read",
        )
