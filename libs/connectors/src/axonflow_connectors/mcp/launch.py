"""Becomes an MCP server under limits: run as a script by ``stdio.py`` in a process of its own, never imported.

It needs the standard library alone, and hands nothing of the parent on but standard input and output.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys

_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38


def main() -> None:
    """``launch.py PARENT MEMORY_BYTES CPU_S PROGRAM [ARGUMENT …]``."""
    parent, memory_bytes, cpu_s = (int(text) for text in sys.argv[1:4])
    command = sys.argv[4:]
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    # Kept over exec: the kernel kills the server when the thread that started it is gone, however that died.
    if prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) or prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        sys.exit("prctl failed")
    if os.getppid() != parent:
        sys.exit("the parent is gone already")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s))
    # Private writable memory; the address space as such is reserved freely by some runtimes and says nothing.
    resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
    os.execve(command[0], command, os.environ)  # noqa: S606 - the operator's command line, without a shell


if __name__ == "__main__":
    main()
