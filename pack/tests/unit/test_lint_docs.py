"""docs/lint.md has the rules of the code."""

import re

from dutiful import env
from dutiful.lint.rules import RULES

PAGE = (env.ROOT / "docs" / "lint.md").read_text()


def test_the_page_shows_every_rule() -> None:
    missing = [rule.row for rule in RULES if rule.row not in PAGE]
    assert not missing, "put these rows into docs/lint.md:\n" + "\n".join(missing)
    assert len(re.findall(r"^\| `[EW]\d", PAGE, re.MULTILINE)) == len(RULES)


def test_every_rule_has_a_test_of_its_name() -> None:
    tests = "".join(path.read_text() for path in (env.ROOT / "tests" / "unit").glob("test_lint_*"))
    for rule in RULES:
        assert f"def test_{rule.code.lower()}_" in tests, rule.id
