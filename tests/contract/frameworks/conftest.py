"""Agents in community and enterprise mode before a scripted model, and frameworks in processes that live as long."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.frameworks import calls_a_tool
from support.gateway import Gateway, running_gateway
from support.postgres import Server
from support.upstream import Upstream, running_upstream


@pytest.fixture(scope="module")
def model() -> Iterator[Upstream]:
    with running_upstream() as upstream:
        upstream.respond = calls_a_tool
        yield upstream


@pytest.fixture(scope="module")
def enterprise(postgres_server: Server, model: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    directory = tmp_path_factory.mktemp("enterprise")
    with postgres_server.database() as url, running_gateway(url, model, directory, "enterprise") as gateway:
        yield gateway


@pytest.fixture(scope="module")
def community(postgres_server: Server, model: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    directory = tmp_path_factory.mktemp("community")
    with postgres_server.database() as url, running_gateway(url, model, directory) as gateway:
        yield gateway
