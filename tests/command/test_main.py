"""The command: arguments, exit codes, errors in one line."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from skconv import __version__
from skconv._command import actions
from skconv._command.main import main


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "arguments are required: COMMAND"),
        (["guess"], "invalid choice: 'guess'"),
        (["train", "data.npz"], "arguments are required: MODEL"),
        (["train", "d", "m", "--size", "3by4"], "must be HxW in pixels, such as 64x64, got '3by4'"),
        (["train", "d", "m", "--hold-out", "1"], "must be from 0 to below 1, got '1'"),
        (["train", "d", "m", "--seed", "-1"], "must be a whole number from 0 to 4294967295, got '-1'"),
        (["train", "d", "m", "--hold-out", "x"], "must be from 0 to below 1, got 'x'"),
    ],
)
def test_wrong_arguments_exit_with_2(arguments, message, capsys):
    with pytest.raises(SystemExit) as exit:
        main(arguments)
    assert exit.value.code == 2
    assert message in capsys.readouterr().err


def test_version(capsys):
    with pytest.raises(SystemExit) as exit:
        main(["--version"])
    assert exit.value.code == 0
    assert capsys.readouterr().out == f"skconv {__version__}\n"


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (ValueError("two\nlines"), 1, "skconv: error: two lines\n"),
        (MemoryError(), 1, "skconv: error: MemoryError\n"),
        (KeyboardInterrupt(), 130, "skconv: interrupted\n"),
    ],
)
def test_errors_are_one_line(error, code, line, monkeypatch, capsys):
    def fail(options):
        raise error

    monkeypatch.setattr(actions, "inspect", fail)
    assert main(["inspect", "model"]) == code
    assert capsys.readouterr().err == line


def test_the_installed_command():
    done = subprocess.run(
        [sys.executable, "-c", "from _skconv_command import main; raise SystemExit(main())", "inspect", "missing"],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("skconv: error: ")
    assert done.stderr.count("\n") == 1
    assert "missing" in done.stderr


def test_ctrl_c_while_the_package_is_imported(tmp_path):
    package = tmp_path / "skconv"
    package.mkdir()
    (package / "__init__.py").write_text("raise KeyboardInterrupt")
    root = Path(importlib.util.find_spec("_skconv_command").origin).parent
    done = subprocess.run(
        [sys.executable, "-c", "from _skconv_command import main; raise SystemExit(main())", "inspect", "model"],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{root}"},
    )
    assert done.returncode == 130
    assert done.stderr == "skconv: interrupted\n"
