"""Ports: read from the environment, refused with the variable's name."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from axonflow_native.ports import Ports, read_ports, require_free, service_urls
from axonflow_native.refusal import CannotStart

EVERYWHERE = "0.0.0.0"  # noqa: S104 - the wildcard is what is tested


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_unset_ports_are_the_documented_ones() -> None:
    assert read_ports({}) == Ports(8080, 8081, 8082, 5432)


def test_each_port_has_its_variable() -> None:
    ports = read_ports({"AGENT_PORT": "1", "ORCHESTRATOR_PORT": "2", "PORTAL_PORT": "3", "POSTGRES_PORT": "4"})
    assert ports == Ports(1, 2, 3, 4)


@pytest.mark.parametrize("text", ["0", "65536", "-1", "http", "80 80", "\uff18\uff10\uff18\uff10"])
def test_what_is_no_port_is_refused_by_name(text: str) -> None:
    with pytest.raises(CannotStart, match="PORTAL_PORT must be a port"):
        read_ports({"PORTAL_PORT": text})


def test_every_wrong_port_is_named_at_once() -> None:
    with pytest.raises(CannotStart) as refused:
        read_ports({"AGENT_PORT": "x", "POSTGRES_PORT": "y"})
    assert "AGENT_PORT" in str(refused.value)
    assert "POSTGRES_PORT" in str(refused.value)


def test_one_port_for_two_services_is_refused_with_both_names() -> None:
    with pytest.raises(CannotStart, match="ORCHESTRATOR_PORT and PORTAL_PORT are both 8082"):
        read_ports({"ORCHESTRATOR_PORT": "8082"})


def test_a_taken_port_names_the_port_and_the_variable(taken_port: int) -> None:
    with pytest.raises(CannotStart, match=f"Port {taken_port} is taken .* Set AGENT_PORT"):
        require_free({"agent": taken_port}, "127.0.0.1")


def test_a_port_taken_on_loopback_is_taken_everywhere(taken_port: int) -> None:
    with pytest.raises(CannotStart, match="Set PORTAL_PORT"):
        require_free({"portal": taken_port}, EVERYWHERE)


def test_a_port_that_was_just_left_is_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        client = socket.create_connection(("127.0.0.1", port))
        served, _ = listener.accept()
        served.close()  # this side's address stays in TIME_WAIT
        client.close()
    require_free({"agent": port}, "127.0.0.1")


def test_an_address_of_another_machine_is_said() -> None:
    with pytest.raises(CannotStart, match=r"HOST=192\.0\.2\.1 is not an address of this machine"):
        require_free({"agent": 18080}, "192.0.2.1")


def test_urls_name_an_address_that_answers_when_listening_everywhere() -> None:
    assert service_urls({"HOST": EVERYWHERE}, Ports())["AGENT_URL"] == "http://127.0.0.1:8080"


def test_urls_put_an_ipv6_address_in_brackets() -> None:
    assert service_urls({"HOST": "::1"}, Ports())["PORTAL_URL"] == "http://[::1]:8082"
