"""The whole suite on every Python, with the oldest and the newest versions that are allowed, and from the sdist.

    pip install "nox[uv]"
    nox                    # every session
    nox -s oldest          # one

`.ci/run` runs the suite once, with the newest versions on the Python it is called with, and the tests of bits as older
processors would.
"""

import tarfile
from pathlib import Path

import nox

nox.options.default_venv_backend = "uv"
nox.options.reuse_existing_virtualenvs = False
PYTHONS = ["3.11", "3.12", "3.13"]


def test(session):
    """Run the suite, or what the command line says after ``--``."""
    session.run("python", "-m", "pytest", "-n", "auto", *session.posargs)


@nox.session(python=PYTHONS)
def newest(session):
    """The newest versions of everything."""
    session.install("-e", ".[test]")
    test(session)


@nox.session(python=PYTHONS[0])
def oldest(session):
    """The lower bounds in pyproject.toml, on the oldest Python."""
    session.install("--resolution", "lowest-direct", "-e", ".[test]")
    test(session)


@nox.session(python=PYTHONS[-1])
def sdist(session):
    """The tests in the source distribution, on the package that is built from it."""
    session.install("build")
    folder = Path(session.create_tmp())
    session.run("python", "-m", "build", "--sdist", "--installer", "uv", "--outdir", str(folder))
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    session.chdir(archive.with_suffix("").with_suffix(""))
    session.install(".[test]")
    test(session)


@nox.session(python=PYTHONS[0])
def processors(session):
    """The whole suite as each older processor that this one can play would run it."""
    session.install("-e", ".[test]")
    session.run("python", "tests/processors.py", *(session.posargs or ["tests"]))


@nox.session(python=PYTHONS[0])
def slow(session):
    """Tests that take longer than the others together, and the documentation's build."""
    session.install("-e", ".[test,docs]")
    session.run("python", "-m", "pytest", "-n", "auto", "-m", "slow", *session.posargs)
