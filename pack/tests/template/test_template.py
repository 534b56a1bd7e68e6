"""`make template`: a project under another name, on the pack's wheel, that stands by itself."""

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dutiful import __version__
from dutiful.dev.template import edits
from dutiful.dev.template.options import Options, TemplateError
from dutiful.dev.up import state
from dutiful.testing import up
from dutiful.testing.processes import Running
from tests.template import ROOT
from tests.template.clones import clean, tried

pytestmark = pytest.mark.timeout(900)
MOST_LINES = 1500
NOBODY = re.compile(r"pack/|project\.(settings|celery|urls|wsgi)|-A project|drill|benchmark")
"""What belongs to this repository, or to a package that is called otherwise now."""


def make(name: str, to: Path, *flags: str, **environment: str) -> subprocess.CompletedProcess[str]:
    words = ["-m", "dutiful.dev.template", "--name", name, "--to", str(to), *flags]
    return tried([sys.executable, *words], ROOT, environment, seconds=300)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Without the examples."""
    to = tmp_path_factory.mktemp("plain") / "beta"
    ended = make("beta", to, "--no-examples")
    assert ended.returncode == 0, ended.stderr
    assert f"with dutiful {__version__}, in wheels/" in ended.stdout
    return to


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With the examples, under a name that moves lines and the order of imports."""
    to = tmp_path_factory.mktemp("full") / "an_unusually_long_name"
    ended = make(to.name, to)
    assert ended.returncode == 0, ended.stderr
    return to


def files(folder: Path) -> Iterator[tuple[Path, str]]:
    for file in sorted(folder.rglob("*")):
        inside = file.relative_to(folder).parts
        if file.is_file() and not {".venv", "wheels", "var"} & set(inside):
            yield file, file.read_text()


def test_without_the_examples_it_is_small(plain: Path) -> None:
    lines = {f: len(text.splitlines()) for f, text in files(plain) if f.suffix == ".py"}
    assert len(lines) > 15
    assert sum(lines.values()) <= MOST_LINES


def test_it_has_nothing_of_this_repository(plain: Path, full: Path) -> None:
    for folder in (plain, full):
        for file, text in files(folder):
            if file.name.startswith(("requirements", "dashboard")):
                continue
            found = NOBODY.search(text)
            assert not found, f"{file}: {text.splitlines()[text[: found.start()].count(chr(10))]}"
        there = {file.name for file in folder.iterdir()}
        assert not there & {"pack", ".ci", "project", "CHANGELOG.md", "CONTRIBUTING.md"}
    for file, text in files(plain):
        assert "examples" not in text or file.name.startswith("requirements"), file


def test_the_lock_names_the_wheel_with_its_hash(plain: Path) -> None:
    (wheel,) = (plain / "wheels").iterdir()
    said = hashlib.sha256(wheel.read_bytes()).hexdigest()
    for lock in ("requirements.txt", "requirements-dev.txt"):
        text = (plain / lock).read_text()
        assert "--find-links wheels\n" in text
        assert f"dutiful=={__version__} \\\n    --hash=sha256:{said}\n" in text
        assert str(ROOT) not in text
    pinned = re.findall(r"^[\w.-]+==.*\\$", (plain / "requirements.txt").read_text(), re.MULTILINE)
    tested = (ROOT / "requirements.txt").read_text()
    assert [line for line in pinned if line not in tested and "dutiful" not in line] == []


def test_what_only_the_packs_development_needs_is_not_installed(plain: Path) -> None:
    lock = (plain / "requirements-dev.txt").read_text()
    for name in ("kent", "hypothesis", "dramatiq", "rq", "huey", "taskiq", "moto", "playwright"):
        assert f"\n{name}==" not in lock


def test_a_version_from_an_index_leaves_no_wheel(plain: Path, tmp_path: Path) -> None:
    """uv takes the folder of a wheel for an index here."""
    ended = make("shop", tmp_path / "shop", "--from-index", UV_FIND_LINKS=str(plain / "wheels"))
    assert ended.returncode == 0, ended.stderr
    assert not (tmp_path / "shop" / "wheels").exists()
    assert f"\ndutiful=={__version__} \\\n" in (tmp_path / "shop" / "requirements.txt").read_text()
    for name in ("requirements.txt", "Makefile", "docker/Dockerfile"):
        assert "wheels" not in (tmp_path / "shop" / name).read_text()


def test_a_version_that_no_index_has_is_one_line(tmp_path: Path) -> None:
    ended = make("shop", tmp_path / "shop", "--from-index", UV_OFFLINE="1")
    assert ended.returncode == 1
    assert ended.stderr.startswith("make template: uv pip failed in ")
    assert len(ended.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "say which name and where"),
        ("my-shop", "is no package name"),
        ("Shop", "is no package name"),
        ("2shop", "is no package name"),
        ("class", "is no package name"),
        ("email", "is the name of a module that Python has already"),
        ("django", "is the name of a module that Python has already"),
        ("tasks", "is the name of a module that Python has already"),
    ],
)
def test_a_name_that_cannot_work_is_one_line(name: str, said: str, tmp_path: Path) -> None:
    ended = make(name, tmp_path / "new")
    assert ended.returncode == 1
    assert said in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
    assert not (tmp_path / "new").exists()


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").touch()
    ended = make("shop", tmp_path)
    assert ended.returncode == 1
    assert ended.stderr == (
        f"make template: TO={tmp_path} is there and not empty; name a new folder.\n"
    )
    assert [file.name for file in tmp_path.iterdir()] == ["mine"]


def test_an_edit_that_no_longer_fits_its_file_is_an_error(tmp_path: Path) -> None:
    options = Options(ROOT, "shop", tmp_path, examples=True, from_index=False)
    with pytest.raises(TemplateError, match=r"change dutiful/dev/template/edits\.py"):
        edits.apply("Makefile", "up:\n", options)


def test_with_the_examples_its_tests_pass_on_the_wheel(full: Path, tmp_path: Path) -> None:
    """This environment, with the unpacked wheel before its pack."""
    (wheel,) = (full / "wheels").iterdir()
    tried([sys.executable, "-m", "zipfile", "-e", str(wheel), str(tmp_path)], full)
    pages = [f"tasks/examples/tests/test_{name}.py" for name in ("pages", "removed")]
    words = [sys.executable, "-m", "pytest", "-q", "tests", *pages, "--ignore=tests/containers"]
    ended = tried(words, full, {"PYTHONPATH": str(tmp_path)}, seconds=400)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    where = "import dutiful; print(dutiful.__file__)"
    found = tried([sys.executable, "-c", where], full, {"PYTHONPATH": str(tmp_path)})
    assert found.stdout.startswith(str(tmp_path))


def test_make_test_lint_lock_and_up_work_in_it_as_they_are(plain: Path, tmp_path: Path) -> None:
    """In a virtual environment that its own Makefile makes, from the wheel."""
    for words in (["test"], ["lint"], ["lock"]):
        locks = {name: (plain / name).read_text() for name in plain.glob("requirements*")}
        ended = tried(["make", *words, f"PYTHON={sys.executable}", "JOBS=2"], plain, seconds=600)
        assert ended.returncode == 0, f"make {words[0]}:\n{ended.stdout}{ended.stderr}"
        assert locks == {name: (plain / name).read_text() for name in plain.glob("requirements*")}
    environment = up.settings(tmp_path / "var") | {"DJANGO_SETTINGS_MODULE": "beta.settings"}
    shell = ["env", "-i", *(f"{name}={value}" for name, value in clean(**environment).items())]
    running = Running([*shell, "make", "up"], tmp_path / "log", cwd=plain)
    try:
        running.wait_for_log("Next: `", 150)
        assert "newtask" in running.log
        kept = json.loads((tmp_path / "var" / state.FILE.name).read_text())
        pids = {name: pid for name, (pid, _) in kept["processes"].items()}
        assert {"broker", "web", "worker_io", "worker_compute", "beat", "monitor"} <= set(pids)
        os.killpg(running.pid, signal.SIGINT)  # Ctrl-C reaches make and its child
        running.wait(60)
        assert not [name for name, pid in pids.items() if state.identity(pid)]
    finally:
        running.stop(60)
