"""A few hundred calls under presses, and forks: see `stress.py`."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("stress.py")


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no signals and forks of that kind")
@pytest.mark.parametrize(
    ("what", "n", "message"),
    [
        ("presses", 600, r"600 calls, \d+ of them cut; nothing waited, all as before"),
        ("forks", 60, "60 forks; no child waited, all ended well"),
    ],
)
def test_nothing_waits_for_ever(what, n, message):
    command = [sys.executable, str(SCRIPT), what, str(n)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=1800, check=False, cwd=SCRIPT.parents[1])
    assert result.returncode == 0, result.stderr[-3000:]
    assert re.fullmatch(message, result.stdout.splitlines()[-1])
