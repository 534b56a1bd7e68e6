"""Figures of the status page, as people read them."""

import pytest

from dutiful.monitoring.status import formatting


@pytest.mark.parametrize(
    ("rate", "told"), [(0, "0"), (0.4321, "0.43"), (9.96, "10"), (14.4, "14"), (100, "100")]
)
def test_burns_have_no_exponents(rate: float, told: str) -> None:
    assert formatting.burn(rate) == f"{told}\N{MULTIPLICATION SIGN}"
