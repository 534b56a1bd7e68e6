"""`project/setup.sh` takes a Python of the supported range, or says in one line why it does not."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.template import ROOT

FAKE = """#!/bin/sh
exec {python} -c '
import platform, sys
sys.version_info = ({version})
platform.python_version = lambda: "{text}"
exec(sys.argv[1])' "$2"
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "project").mkdir()
    shutil.copy(ROOT / "project" / "setup.sh", tmp_path / "project")
    (tmp_path / "bin").mkdir()
    for name in ("sh", "dirname", "cp", "rm", "cmp"):
        found = shutil.which(name)
        assert found
        (tmp_path / "bin" / name).symlink_to(found)
    return tmp_path


def fake(project: Path, name: str, text: str) -> Path:
    """An interpreter that says it is of version `text`."""
    file = project / "bin" / name
    file.write_text(FAKE.format(python=sys.executable, version=text.replace(".", ","), text=text))
    file.chmod(0o755)
    return file


def setup(project: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "project/setup.sh"],
        cwd=project,
        env={"PATH": str(project / "bin"), "HOME": os.environ["HOME"], **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )


def real(project: Path, name: str) -> str:
    (project / "bin" / name).symlink_to(sys.executable)
    return ".".join(map(str, sys.version_info[:2]))


@pytest.mark.parametrize("version", ["3.10.13", "3.15.0", "2.7.18"])
def test_a_named_python_outside_the_range_is_refused_though_another_would_do(
    version: str, project: Path
) -> None:
    fake(project, "python-named", version)
    real(project, "python3")
    ended = setup(project, PYTHON="python-named")
    assert ended.returncode == 1
    assert ended.stderr == (
        f"setup: needs Python 3.11 to 3.14; python-named is {version}."
        " Name another: make PYTHON=/path/to/python3.13\n"
    )
    assert not (project / ".venv").exists()


def test_a_named_python_that_is_not_there_is_refused(project: Path) -> None:
    ended = setup(project, PYTHON="python3.99")
    assert ended.returncode == 1
    assert "python3.99 is no Python that starts" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_without_a_name_the_first_supported_python_is_taken(project: Path) -> None:
    fake(project, "python3", "3.10.13")
    version = real(project, "python3.11")
    ended = setup(project)
    assert ended.returncode == 0, ended.stderr
    assert (project / ".venv" / "lib" / f"python{version}").is_dir()
    assert setup(project).returncode == 0, "a second time there is nothing to do"


def test_without_any_supported_python_python3s_version_is_named(project: Path) -> None:
    fake(project, "python3", "3.10.13")
    ended = setup(project)
    assert ended.returncode == 1
    assert "needs Python 3.11 to 3.14; python3 is 3.10.13." in ended.stderr
    assert not (project / ".venv").exists()


def test_an_environment_of_another_python_than_the_named_one_is_not_used(project: Path) -> None:
    real(project, "python3")
    assert setup(project).returncode == 0
    other = "3.12.1" if sys.version_info[:2] != (3, 12) else "3.13.1"
    fake(project, "python-other", other)
    ended = setup(project, PYTHON="python-other")
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"setup: python-other is Python {other}, but .venv has 3.")
    assert f"VENV=.venv-{other.rpartition('.')[0]}" in ended.stderr
