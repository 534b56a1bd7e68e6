"""What the code tells people to read exists where the pack is installed."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from dutiful import pages
from tests.adopting.conftest import PACK

SOURCE = PACK / "src" / "dutiful"
COMMAND = pages.see("NAME").partition("NAME")[0].partition("`")[2]
PAGE = re.compile(re.escape(COMMAND) + r"([a-z/-]+)")
BY_PATH = re.compile(r"docs/[a-z/-]+\.md")
OWN = ("settings_docs.py", "doctor_docs.py")
"""Commands of the pack's own repository, which write these files."""
SETTING = {"monitoring/env.py", "monitoring/metrics/rules.py"}
"""RUNBOOK_URL: the project says where its runbook is."""


def texts(file: Path) -> Iterator[str]:
    """The strings of a file that are no docstrings: what people may see."""
    tree = ast.parse(file.read_text())
    expressions = (node for node in ast.walk(tree) if isinstance(node, ast.Expr))
    docstrings = {id(each.value) for each in expressions}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or id(node) in docstrings:
            continue
        if isinstance(node.value, str):
            yield node.value


def test_no_message_names_a_file_of_the_repository() -> None:
    wrong = [
        f"{file.relative_to(SOURCE)}: {found}"
        for file in SOURCE.rglob("*.py")
        if file.name not in OWN and str(file.relative_to(SOURCE)) not in SETTING
        for text in texts(file)
        for found in BY_PATH.findall(text)
    ]
    assert not wrong, "say `python -m dutiful docs NAME` instead (dutiful/pages.py)"


def test_every_page_that_is_named_exists() -> None:
    named = {
        name for file in SOURCE.rglob("*.py") for text in texts(file) for name in PAGE.findall(text)
    }
    assert {"runbook", "drift", "deploys"} <= named
    assert named <= set(pages.names())


def test_links_between_pages_lead_somewhere() -> None:
    for name in pages.names():
        page = pages.FOLDER / f"{name}.md"
        for target in re.findall(r"\]\(([^)#:]+\.md)[^)]*\)", page.read_text()):
            assert (page.parent / target).is_file(), f"{name}: {target}"
