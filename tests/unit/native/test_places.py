"""Each checkout has its own state, found again by its path."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from axonflow_native.compose import project_name
from axonflow_native.places import Places, checkout_key


def test_two_checkouts_of_the_same_name_have_different_states(tmp_path: Path) -> None:
    first, second = Places.of(tmp_path / "a" / "axonflow"), Places.of(tmp_path / "b" / "axonflow")
    assert first.state != second.state
    assert first.state.name.startswith("axonflow-")


def test_a_link_to_a_checkout_leads_to_the_same_state(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    assert Places.of(tmp_path / "link") == Places.of(tmp_path / "real")


@pytest.mark.parametrize("name", ["mein Projekt", "ünï", "..", "x" * 200, "a'b;c"])
def test_a_key_is_a_plain_folder_name(name: str) -> None:
    key = checkout_key(Path("/home") / name)
    assert key.replace("-", "").replace(".", "").replace("_", "").isascii()
    assert "/" not in key
    assert " " not in key
    assert len(key) < 60


def test_a_compose_project_has_the_letters_compose_allows() -> None:
    name = project_name(Path("/home/Me/My Checkout"))
    assert name == name.lower()
    assert name.replace("-", "").isalnum()


def test_an_ordinary_users_state_follows_xdg(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert Places.of(tmp_path).state.is_relative_to(tmp_path / "axonflow")


def test_state_is_open_for_passing_through_whatever_the_umask(tmp_path: Path) -> None:
    places = Places(tmp_path, tmp_path / "outer" / "inner")
    before = os.umask(0o077)
    try:
        places.make_state()
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "outer").stat().st_mode) == 0o755
    assert stat.S_IMODE((places.state / "audit").stat().st_mode) == 0o700


def test_what_runs_is_closed_to_others(tmp_path: Path) -> None:
    places = Places(tmp_path, tmp_path / "state")
    places.make_run()
    assert stat.S_IMODE(places.run.stat().st_mode) == 0o700
