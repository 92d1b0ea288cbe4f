"""Python runs this at start: whatever a framework does on its own, it dials and looks up this machine alone.

Each attempt is refused and, where ``AXONFLOW_TEST_OUTSIDE`` names a file, written there for the test to see.
"""

import os
import sys

INSIDE = ("127.", "::1", "localhost", "0.0.0.0")  # noqa: S104 - compared with, never listened on


def refuse_outside(event, arguments):
    if event == "socket.connect":
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else None  # a path is a socket of this machine
    elif event == "socket.getaddrinfo":
        host = arguments[0]
    else:
        return
    named = host.decode("utf-8", "replace") if isinstance(host, bytes) else host
    if not isinstance(named, str) or named.startswith(INSIDE):
        return
    told = os.environ.get("AXONFLOW_TEST_OUTSIDE")
    if told:
        with open(told, "a", encoding="utf-8") as places:  # noqa: PTH123 - nothing more is imported this early
            places.write(f"{named}\n")
    raise OSError(f"{named} is outside this machine")


sys.addaudithook(refuse_outside)
