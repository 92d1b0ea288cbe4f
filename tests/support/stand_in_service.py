"""A process that stands in for a service: answers ``/health`` on ``PORT``, or fails as its environment says.

``STAND_IN`` is a comma-separated list: ``fail=SENTENCE`` says it and ends with 1, ``starting`` never becomes healthy,
``stubborn`` does not end on SIGTERM. Each end is noted as a line in the file ``STAND_IN_NOTES``.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Health(BaseHTTPRequestHandler):
    """Answers every path alike."""

    status = "healthy"

    def do_GET(self) -> None:
        """Say how it is, and which process says it."""
        body = json.dumps({"status": self.status, "pid": os.getpid()}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def end(name: str) -> None:
    """Note the end, then leave."""
    with Path(os.environ["STAND_IN_NOTES"]).open("a") as notes:
        notes.write(f"{name} ended\n")
    os._exit(0)


def main() -> None:
    """Behave as told."""
    name = sys.argv[1]
    told = dict(word.partition("=")[::2] for word in os.environ.get("STAND_IN", "").split(",") if word)
    print(f"{name} begins", flush=True)
    if "fail" in told:
        print(told["fail"], file=sys.stderr, flush=True)
        raise SystemExit(1)
    if "starting" in told:
        Health.status = "starting"
    action = signal.SIG_IGN if "stubborn" in told else (lambda *_: end(name))
    signal.signal(signal.SIGTERM, action)
    ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Health).serve_forever()


if __name__ == "__main__":
    main()
