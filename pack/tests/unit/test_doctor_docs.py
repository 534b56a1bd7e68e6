"""docs/doctor.md says what the doctor says; each finding has its test."""

import re

from dutiful import env
from dutiful.doctor.management.commands.doctor_docs import kinds, page


def test_the_page_is_made_from_the_code() -> None:
    assert (env.ROOT / "docs" / "doctor.md").read_text() == page(), "run manage.py doctor_docs"


def test_a_finding_keeps_its_id_to_itself_and_its_place_in_the_table() -> None:
    ids = [kind.id for kind in kinds()]
    assert len(set(ids)) == len(ids) > 30
    for kind in kinds():
        assert re.fullmatch(r"doctor\.[EWU]\d{3}", kind.id)
        assert kind.severity[0].upper() == kind.id[7]
        for text in (kind.title, kind.risk, kind.fix):
            assert text
            assert "<" not in text, f"{kind.id}: Markdown would hide what is in <>"


def test_each_finding_is_shown_by_a_test() -> None:
    tests = "".join(file.read_text() for file in (env.ROOT / "tests").glob("*/test_doctor*.py"))
    for kind in kinds():
        assert f'"{kind.id.removeprefix("doctor.")}"' in tests or kind.id in tests, kind.id
