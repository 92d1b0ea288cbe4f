"""What the conformance suite needs to know of one connector to ask every connector the same questions."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

from axonflow_connectors import Call, Connector, ConnectorRegistry, Limits, Surroundings, standard_specs
from axonflow_outbound import Egress, Outbound

ORG = "acme"
ROWS = 5


@dataclasses.dataclass(frozen=True, kw_only=True)
class Backend:
    """One connector with a server behind it that holds ``ROWS`` notes, ``note 0`` to ``note 4``.

    Attributes:
        read_all: reads all notes; each row tells its text somewhere.
        find: reads the notes of one text, given as a parameter; None where the other side cannot look for one.
        write: makes a note of a text, given as a parameter.
        write_by_query: the same write as an argument of ``query``.
        slow: a read that takes longer than a second.
        wrong: credentials that the server refuses.
        cuts_bytes: whether the byte limit cuts the answer; else it is refused as too large.
    """

    type: str
    options: Mapping[str, Any]
    credentials: Mapping[str, str]
    read_all: Call
    write: Callable[[str], Call]
    write_by_query: Call
    find: Callable[[str], Call] | None = None
    slow: Callable[[], Call] | None = None
    wrong: Mapping[str, str] | None = None
    gone: Mapping[str, Any] | None = None
    cuts_bytes: bool = True
    sqlite_root: Path | None = None

    @contextlib.asynccontextmanager
    async def registry(self, egress: str = "127.0.0.1") -> AsyncIterator[ConnectorRegistry]:
        async with Outbound(Egress.parse(egress)) as outbound:
            yield ConnectorRegistry(standard_specs(), Surroundings(outbound=outbound, sqlite_root=self.sqlite_root))

    @contextlib.asynccontextmanager
    async def opened(
        self,
        egress: str = "127.0.0.1",
        options: Mapping[str, Any] | None = None,
        credentials: Mapping[str, str] | None = None,
    ) -> AsyncIterator[Connector]:
        """The live side, with some of its configuration changed."""
        async with self.registry(egress) as registry:
            connector = await registry.open(
                self.type,
                org_id=ORG,
                options={**self.options, **(options or {})},
                credentials={**self.credentials, **(credentials or {})},
            )
            try:
                yield connector
            finally:
                await connector.close()


def limited(call: Call, **limits: Any) -> Call:
    """The same call with other limits."""
    return dataclasses.replace(call, limits=Limits(**limits))
