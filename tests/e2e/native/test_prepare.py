"""The preparation of ``.venv`` when packages cannot be had."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def test_packages_that_cannot_be_had_are_named_with_pips_own_reason(tmp_path: Path) -> None:
    tool = tmp_path / "deploy" / "tools" / "prepare.py"
    tool.parent.mkdir(parents=True)
    shutil.copy2(ROOT / "deploy" / "tools" / "prepare.py", tool)
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / "dev.txt").write_text("no-such-package==1 --hash=sha256:" + "0" * 64 + "\n")
    environ = {"PATH": os.environ["PATH"], "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path)}
    done = subprocess.run([sys.executable, tool], env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "pip could not install the development lock" in done.stderr
    assert "no-such-package" in done.stderr
    assert not (tmp_path / ".venv" / ".stamp").exists(), "the next make tries again"
