"""The gateway in three modes, and the official SDKs that call it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.gateway import Gateway, running_gateway
from support.sdk import Sdk, node_sdk, python_sdk
from support.upstream import Upstream, running_upstream

MODES = ["community", "evaluation", "enterprise"]


@pytest.fixture(scope="session")
def openai_upstream() -> Iterator[Upstream]:
    with running_upstream() as upstream:
        yield upstream


@pytest.fixture(scope="module", params=MODES)
def started_gateway(
    request: pytest.FixtureRequest,
    module_database_url: str,
    openai_upstream: Upstream,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Gateway]:
    directory = tmp_path_factory.mktemp(request.param)
    with running_gateway(module_database_url, openai_upstream, directory, request.param) as gateway:
        yield gateway


@pytest.fixture
def gateway(started_gateway: Gateway) -> Gateway:
    started_gateway.upstream.reset()
    return started_gateway


@pytest.fixture(scope="session", params=["python-2", "python-newest", "node"])
def sdk(request: pytest.FixtureRequest) -> Iterator[Sdk]:
    opened = node_sdk() if request.param == "node" else python_sdk(request.param.removeprefix("python-"))
    yield opened
    opened.close()
