"""The operator's list of MCP servers that may run as child processes."""

from __future__ import annotations

import pytest
from axonflow_settings import stdio_commands


def test_a_line_is_a_name_variables_a_program_and_arguments() -> None:
    files, git = stdio_commands("files=/usr/bin/mcp-files --root '/data dir' ; git = TOKEN=a=b /opt/mcp-git")
    assert (files.name, files.argv) == ("files", ("/usr/bin/mcp-files", "--root", "/data dir"))
    assert (git.name, git.argv, dict(git.environment)) == ("git", ("/opt/mcp-git",), {"TOKEN": "a=b"})
    assert stdio_commands(" ; ") == ()


@pytest.mark.parametrize(
    "text",
    ["/bin/sh", "a=sh -c id", "a=", "a=TOKEN=1", "A B=/bin/x", "a=/bin/x;a=/bin/y", "a=/bin/x 'open", "../x=/bin/x"],
)
def test_anything_else_refuses_the_boot(text: str) -> None:
    with pytest.raises(ValueError, match=r"^(a list|well quoted)"):
        stdio_commands(text)
