"""The options of the transport, and that docs/transport.md tells them as they are."""

import re
from dataclasses import fields

import pytest

from dutiful import env
from dutiful.transport.options import Options

PAGE = (env.ROOT / "docs" / "transport.md").read_text()


def test_the_page_names_each_option_with_its_default() -> None:
    told = dict(re.findall(r"^\| `(\w+)` \| [^|]+ \| ([\d.]+) \|", PAGE, re.MULTILINE))
    assert told == {
        field.name: f"{field.default:g}" if isinstance(field.default, float) else str(field.default)
        for field in fields(Options)
    }


def test_the_page_is_short_and_names_the_way_back() -> None:
    assert len(PAGE.splitlines()) <= 120
    assert "BROKER_STOCK_TRANSPORT=1" in PAGE


@pytest.mark.parametrize("name", [field.name for field in fields(Options)])
def test_what_cannot_work_is_refused_by_name(name: str) -> None:
    with pytest.raises(ValueError, match=rf"broker_transport_options\['{name}'\] is -1"):
        Options(**{name: -1})


def test_other_options_are_left_to_kombu() -> None:
    assert Options.of({"lease_seconds": 5, "visibility_timeout": 60}).lease_seconds == 5
