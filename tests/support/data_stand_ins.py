"""S3 and Slack in the process: they keep real state and refuse what the real ones refuse, signatures included."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import parse_qsl, quote
from xml.sax.saxutils import escape

from aiohttp import web

ACCESS_KEY, SECRET_KEY = "AKIAEXAMPLE", "secret/with+signs="
SLACK_TOKEN = "xoxb-a-token"


@asynccontextmanager
async def listening(app: web.Application) -> AsyncIterator[int]:
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


class S3StandIn:
    """One bucket, ``bucket``, with pages of two keys so that paging shows."""

    page = 2

    def __init__(self) -> None:
        self.objects: dict[str, tuple[str, bytes]] = {}
        self.delay_s = 0.0

    def app(self) -> web.Application:
        app = web.Application(client_max_size=1 << 26)
        app.router.add_route("*", "/{path:.*}", self._handle)
        return app

    async def _handle(self, request: web.Request) -> web.StreamResponse:  # noqa: PLR0911 - one line a method
        await asyncio.sleep(self.delay_s)
        body = await request.read()
        if not self._signed(request, body):
            return web.Response(status=403, text="<Error><Code>SignatureDoesNotMatch</Code></Error>")
        _, bucket, key = request.path.split("/", 2)
        if bucket != "bucket":
            return web.Response(status=404)
        if request.method == "GET" and not key:
            return self._listing(dict(parse_qsl(request.rel_url.raw_query_string, keep_blank_values=True)))
        if request.method == "PUT":
            self.objects[key] = (request.headers["Content-Type"], body)
            return web.Response(headers={"ETag": '"' + hashlib.md5(body).hexdigest() + '"'})  # noqa: S324 - S3's own tag
        if request.method == "DELETE":
            self.objects.pop(key, None)
            return web.Response(status=204)
        if key not in self.objects:
            return web.Response(status=404)
        kind, content = self.objects[key]
        return web.Response(body=content, headers={"Content-Type": kind})

    def _listing(self, query: dict[str, str]) -> web.Response:
        after = query.get("continuation-token", "")
        keys = sorted(key for key in self.objects if key.startswith(query.get("prefix", "")) and key > after)
        shown = keys[: self.page]
        more = len(keys) > len(shown)
        items = "".join(
            f"<Contents><Key>{escape(key)}</Key><Size>{len(self.objects[key][1])}</Size></Contents>" for key in shown
        )
        token = f"<NextContinuationToken>{escape(shown[-1])}</NextContinuationToken>" if more else ""
        space = "http://s3.amazonaws.com/doc/2006-03-01/"
        return web.Response(
            content_type="application/xml",
            text=f'<?xml version="1.0"?><ListBucketResult xmlns="{space}"><IsTruncated>{str(more).lower()}'
            f"</IsTruncated>{token}{items}</ListBucketResult>",
        )

    def _signed(self, request: web.Request, body: bytes) -> bool:
        """The receiving side's own reading of Signature Version 4, from what came over the wire."""
        scheme, _, rest = request.headers.get("Authorization", "").partition(" ")
        parts = dict(part.strip().split("=", 1) for part in rest.split(",") if "=" in part)
        if scheme != "AWS4-HMAC-SHA256" or "Credential" not in parts:
            return False
        access, day, region, service, end = parts["Credential"].split("/")
        names = parts["SignedHeaders"].split(";")
        digest = hashlib.sha256(body).hexdigest()
        if access != ACCESS_KEY or "host" not in names or request.headers["x-amz-content-sha256"] != digest:
            return False
        pairs = parse_qsl(request.rel_url.raw_query_string, keep_blank_values=True)
        query = "&".join(f"{quote(k, safe='')}={quote(v, safe='')}" for k, v in sorted(pairs))
        headers = "".join(f"{name}:{request.headers[name].strip()}\n" for name in names)
        path = request.raw_path.partition("?")[0]
        wanted = "\n".join([request.method, path, query, headers, ";".join(names), digest]).encode()
        scope = f"{day}/{region}/{service}/{end}"
        text = "\n".join([scheme, request.headers["x-amz-date"], scope, hashlib.sha256(wanted).hexdigest()])
        key = b"AWS4" + SECRET_KEY.encode()
        for step in (day, region, service, end, text):
            key = hmac.digest(key, step.encode(), "sha256")
        return hmac.compare_digest(key.hex(), parts["Signature"])


class SlackStandIn:
    """One workspace whose channels are paged by two."""

    page = 2

    def __init__(self) -> None:
        self.channels = [{"id": f"C{number}", "name": f"room-{number}"} for number in range(5)]
        self.messages: dict[str, list[dict[str, str]]] = {channel["id"]: [] for channel in self.channels}
        self.delay_s = 0.0

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/api/auth.test", self._auth)
        app.router.add_get("/api/conversations.list", self._list)
        app.router.add_get("/api/conversations.history", self._history)
        app.router.add_post("/api/chat.postMessage", self._post)
        return app

    async def _refusal(self, request: web.Request) -> web.Response | None:
        await asyncio.sleep(self.delay_s)
        if request.headers.get("Authorization") != f"Bearer {SLACK_TOKEN}":
            return web.json_response({"ok": False, "error": "invalid_auth"})
        return None

    async def _auth(self, request: web.Request) -> web.Response:
        return await self._refusal(request) or web.json_response({"ok": True, "team": "Acme", "user": "bot"})

    async def _list(self, request: web.Request) -> web.Response:
        return await self._refusal(request) or self._paged(request, "channels", self.channels)

    async def _history(self, request: web.Request) -> web.Response:
        if refusal := await self._refusal(request):
            return refusal
        if request.query["channel"] not in self.messages:
            return web.json_response({"ok": False, "error": "channel_not_found"})
        return self._paged(request, "messages", self.messages[request.query["channel"]])

    def _paged(self, request: web.Request, key: str, items: list[dict[str, str]]) -> web.Response:
        start = int(request.query.get("cursor", "0"))
        shown = items[start : start + self.page]
        following = str(start + self.page) if start + self.page < len(items) else ""
        return web.json_response({"ok": True, key: shown, "response_metadata": {"next_cursor": following}})

    async def _post(self, request: web.Request) -> web.Response:
        if refusal := await self._refusal(request):
            return refusal
        given = await request.json()
        message = {"text": given["text"], "ts": f"{len(self.messages[given['channel']])}.0"}
        self.messages[given["channel"]].append(message)
        return web.json_response({"ok": True, "channel": given["channel"], "ts": message["ts"], "message": message})


class ApiStandIn:
    """A small JSON API behind a bearer token: notes that are listed, read and made."""

    token = "api-token"

    def __init__(self) -> None:
        self.notes: list[dict[str, object]] = []
        self.delay_s = 0.0
        self.paths: list[str] = []

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._handle)
        return app

    async def _handle(self, request: web.Request) -> web.Response:
        await asyncio.sleep(self.delay_s)
        self.paths.append(request.raw_path)
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return web.json_response({"error": "who are you"}, status=401)
        path = request.path
        if path == "/v1/":
            return web.json_response({"name": "notes"})
        if path == "/v1/notes" and request.method == "POST":
            note = {"id": len(self.notes), **await request.json()}
            self.notes.append(note)
            return web.json_response(note, status=201)
        if path == "/v1/notes":
            wanted = request.query.get("text")
            found = [note for note in self.notes if wanted is None or note["text"] == wanted]
            return web.json_response({"data": {"items": found}})
        return web.json_response({"error": "no such thing"}, status=404)
