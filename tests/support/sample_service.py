"""A small service started as its own process by tests of serving; it prints what happens to it on stdout."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from axonflow_contracts.errors import Surface
from axonflow_settings import ServiceSettings, load
from axonflow_web import Lifecycle, application, run_service, serve
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

LIFECYCLE = Lifecycle()


class Mishap(Exception):
    """A reason not to start that an operator can mend."""


def say(word: str) -> None:
    print(word, flush=True)


async def stage(_: Request) -> Response:
    return JSONResponse(LIFECYCLE.stage.value)


async def slow(request: Request) -> Response:
    say("slow")
    await asyncio.sleep(float(request.query_params["s"]))
    return JSONResponse(LIFECYCLE.stage.value)


@asynccontextmanager
async def lifespan(_: ASGIApp | Starlette) -> AsyncIterator[None]:
    if os.environ.get("SAMPLE_MISHAP"):
        raise Mishap(os.environ["SAMPLE_MISHAP"])
    say("opened")
    await asyncio.sleep(float(os.environ.get("SAMPLE_START_S", "0")))
    yield
    await asyncio.sleep(float(os.environ.get("SAMPLE_END_S", "0")))
    say("closed")


async def main() -> None:
    settings = load(ServiceSettings, os.environ)
    app = application(
        [Route("/stage", stage), Route("/slow", slow)], surface_of=lambda _path: Surface.NESTED, lifespan=lifespan
    )
    await serve(app, settings, lifecycle=LIFECYCLE, listening=lambda port: say(f"listening {port}"))
    await asyncio.sleep(float(os.environ.get("SAMPLE_AFTER_S", "0")))


if __name__ == "__main__":
    run_service(main, refusals=(Mishap,))
