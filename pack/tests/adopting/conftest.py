"""The wheel, built once, and an environment of its own for it."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from sysconfig import get_path

import pytest

PACK = Path(__file__).resolve().parents[2]
UV = Path(sys.executable).with_name("uv")


@dataclass(frozen=True)
class Place:
    """A folder, and the Python that runs in it: as a shell of somebody else's machine."""

    folder: Path
    bin: Path

    @property
    def environment(self) -> dict[str, str]:
        keep = {name: os.environ[name] for name in ("HOME", "LANG") if name in os.environ}
        return {**keep, "PATH": f"{self.bin}{os.pathsep}{os.environ['PATH']}"}

    def command(self, line: str, broker: str) -> list[str]:
        """A command in this place, for a process that goes on running.

        `env -i`: of the variables of the test it has none.
        """
        variables = {**self.environment, "SHOP_BROKER": broker}
        given = [f"{name}={value}" for name, value in variables.items()]
        return ["env", "-i", "-C", str(self.folder), *given, *line.split()]

    def run(self, *argv: str, **environment: str) -> str:
        """Standard output and error of a command that must succeed."""
        ended = self.ended(*argv, **environment)
        assert ended.returncode == 0, f"{argv}: {ended.stdout}"
        return ended.stdout

    def ended(self, *argv: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            argv,
            cwd=self.folder,
            env={**self.environment, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=100,
        )


@pytest.fixture(scope="session")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the wheel and the sdist; the wheel is built from the sdist."""
    folder = tmp_path_factory.mktemp("dist")
    options = ["--no-build-isolation", "--offline", "--quiet", "--python", sys.executable]
    subprocess.run([UV, "build", *options, "--out-dir", folder, PACK], check=True)
    return folder


@pytest.fixture(scope="session")
def wheel(distributions: Path) -> Path:
    return next(distributions.glob("*.whl"))


@pytest.fixture(scope="session")
def new_place(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Place]:
    """Makes an environment with the wheel, on the packages of this one but for its own pack."""

    def make() -> Place:
        folder = tmp_path_factory.mktemp("place")
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "venv"], check=True)
        python = folder / "venv" / "bin" / "python"
        site = next((folder / "venv" / "lib").glob("python*/site-packages"))
        # A plain path: the .pth files in there, the editable pack's among them, are not read.
        (site / "others.pth").write_text(f"{get_path('purelib')}\n")
        install = ["pip", "install", "--no-deps", "--offline", "--quiet", "--python", python, wheel]
        subprocess.run([str(UV), *map(str, install)], check=True)
        for name, module in (("celery", "celery"), ("django-admin", "django")):
            script = python.with_name(name)
            script.write_text(f'#!/bin/sh\nexec "{python}" -m {module} "$@"\n')
            script.chmod(0o755)
        return Place(folder, python.parent)

    return make


@pytest.fixture(scope="module")
def place(new_place: Callable[[], Place]) -> Place:
    return new_place()
