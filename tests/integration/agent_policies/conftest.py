"""Running agents for the policy API: two enterprise replicas on one database, and a community one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.gateway import Gateway, running_gateway
from support.policy_api import PolicyClient, new_client
from support.postgres import Server
from support.upstream import Upstream, running_upstream


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    with running_upstream() as upstream:
        yield upstream


@pytest.fixture(scope="module")
def replicas(
    postgres_server: Server, upstream: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Gateway, Gateway]]:
    one, other = tmp_path_factory.mktemp("one"), tmp_path_factory.mktemp("other")
    with (
        postgres_server.database() as url,
        running_gateway(url, upstream, one, "enterprise") as first,
        running_gateway(url, upstream, other, "enterprise") as second,
    ):
        yield first, second


@pytest.fixture(scope="module")
def tellers(replicas: tuple[Gateway, Gateway]) -> PolicyClient:
    return new_client(replicas[0], "acme-bank", "tellers")


@pytest.fixture(scope="module")
def brokers(replicas: tuple[Gateway, Gateway]) -> PolicyClient:
    """Another tenant of the same organisation."""
    return new_client(replicas[0], "acme-bank", "brokers")


@pytest.fixture(scope="module")
def rival(replicas: tuple[Gateway, Gateway]) -> PolicyClient:
    """A tenant of the same name in another organisation."""
    return new_client(replicas[0], "rival-bank", "tellers")


@pytest.fixture(scope="module")
def community(
    postgres_server: Server, upstream: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PolicyClient]:
    directory = tmp_path_factory.mktemp("community")
    limits = {"AXONFLOW_LIMIT_TENANT_POLICIES": "3"}
    with postgres_server.database() as url, running_gateway(url, upstream, directory, **limits) as gateway:
        yield PolicyClient(gateway)
