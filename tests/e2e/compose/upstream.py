"""A model provider's wire for the compose tests: answers every chat completion the same and tells what it received.

Runs in a container of the stack's network with nothing but the standard library.
"""

from __future__ import annotations

import base64
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PORT = 9000
COMPLETION = {
    "id": "chatcmpl-compose",
    "object": "chat.completion",
    "created": 1_700_000_000,
    "model": "gpt-4o-mini",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Four."}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11},
}


class Provider(BaseHTTPRequestHandler):
    """``POST`` is recorded and answered; ``GET /received`` lists the recordings."""

    protocol_version = "HTTP/1.1"
    received: list[dict[str, object]] = []  # noqa: RUF012 - one list for all connections is the point

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.received.append({"path": self.path, "headers": headers, "body": base64.b64encode(body).decode()})
        self._answer(COMPLETION)

    def do_GET(self) -> None:
        self._answer(self.received)

    def _answer(self, value: object) -> None:
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Nothing: what was received is asked for, not read from a log."""


if __name__ == "__main__":
    ThreadingHTTPServer(("0.0.0.0", PORT), Provider).serve_forever()  # noqa: S104 - reached from another container
