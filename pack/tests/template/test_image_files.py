"""The image is built from the files that .dockerignore leaves: the pack must install from them."""

import fnmatch
import shutil
import sys
from pathlib import Path
from zipfile import ZipFile

from tests.template import ROOT
from tests.template.clones import listed, tried


def ignored(name: str) -> bool:
    """Docker's rule, for the patterns that we use: they begin at the root; `**/` is any folder."""
    paths = [name, *map(str, Path(name).parents)]
    for pattern in (ROOT / ".dockerignore").read_text().split("\n"):
        if pattern and not pattern.startswith("#"):
            patterns = (pattern, pattern.removeprefix("**/")) if "**/" in pattern else (pattern,)
            if any(fnmatch.fnmatchcase(path, each) for path in paths for each in patterns):
                return True
    return False


def test_the_pack_builds_with_its_pages_from_what_docker_copies(tmp_path: Path) -> None:
    left = [name for name in listed() if not ignored(name)]
    assert not [name for name in left if "/tests/" in name or name.startswith((".git/", ".ci/"))]
    assert {"manage.py", "requirements.txt", "project/settings/base.py"} <= set(left)
    for name in left:
        if name.startswith("pack/"):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, tmp_path / name)
    uv = str(Path(sys.executable).with_name("uv"))
    words = [uv, "build", "--wheel", "--no-build-isolation", "--python", sys.executable]
    ended = tried([*words, "-o", str(tmp_path / "out"), "pack"], tmp_path)
    assert ended.returncode == 0, ended.stderr
    (wheel,) = (tmp_path / "out").glob("*.whl")
    assert "dutiful/docs/tasks.md" in ZipFile(wheel).namelist()
