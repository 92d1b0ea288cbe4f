"""Which part of a list is asked for, by both ways of paging that clients use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

DEFAULT_PAGE_SIZE = 20
LARGEST_PAGE = 100
LARGEST_LIMIT = 1000  # `limit` is the SDKs' way of paging, and they read no pagination
LARGEST_OFFSET = 1_000_000

# What is raised for a parameter, by its name and what is wrong with it: each family refuses in its own envelope.
Bad = Callable[[str, str], Exception]


class Window(NamedTuple):
    """Rows before the page, and how many it holds at most."""

    offset: int
    limit: int


def window(params: Mapping[str, str], bad: Bad) -> Window:
    """``limit``/``offset`` count where either is given, else ``page``/``page_size``; what is too large is cut.

    Raises:
        Exception: of ``bad``, for what is no number.
    """
    if params.get("limit") or params.get("offset"):
        limit = min(number(params, "limit", 1, DEFAULT_PAGE_SIZE, bad), LARGEST_LIMIT)
        return Window(min(number(params, "offset", 0, 0, bad), LARGEST_OFFSET), limit)
    size = min(number(params, "page_size", 1, DEFAULT_PAGE_SIZE, bad), LARGEST_PAGE)
    return Window(min((number(params, "page", 1, 1, bad) - 1) * size, LARGEST_OFFSET), size)


def number(params: Mapping[str, str], name: str, least: int, default: int, bad: Bad) -> int:
    """A whole number from ``least``, or ``default`` for nothing.

    Raises:
        Exception: of ``bad``.
    """
    text = params.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and int(text) >= least):
        raise bad(name, f"must be a whole number from {least}")
    return int(text)
