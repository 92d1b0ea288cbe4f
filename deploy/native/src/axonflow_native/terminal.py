"""What the launcher says to the person at the terminal; standard library only."""

from __future__ import annotations

import os
import sys

from axonflow_native.places import Places
from axonflow_native.stack_env import read_stack_env


def say(text: str) -> None:
    """One line; when whoever read them has left (``make up | head``), what is being done goes on unsaid."""
    try:
        print(f"axonflow: {text}", flush=True)
    except BrokenPipeError:
        void = os.open(os.devnull, os.O_WRONLY)
        os.dup2(void, sys.stdout.fileno())
        os.close(void)


def complain(refusal: Exception) -> None:
    """Why something cannot be done, on stderr."""
    print("\n".join(f"axonflow: {line}" for line in str(refusal).splitlines()), file=sys.stderr, flush=True)


def say_urls(places: Places) -> None:
    """The three addresses of the running stack, as one types them into a browser."""
    published = read_stack_env(places.stack_env)
    for name in ("agent", "orchestrator", "portal"):
        say(f"  {name:<12} {published.get(f'{name.upper()}_URL', '').replace('127.0.0.1', 'localhost')}")
