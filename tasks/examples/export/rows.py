"""The data: orders of a shop that does not exist, the same on every run."""

import time
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

ROWS: Final = 200_000
PART: Final = 10_000
"""Rows of a part: about half a megabyte."""
PART_SECONDS: Final = 0.15
"""Each part's rows come after this pause, as from a database or an API over the network."""

HEADER: Final = ("order", "placed_on", "customer", "product", "quantity", "unit_price", "total")
PRODUCTS: Final = (("kettle", 3990), ("lamp", 2450), ("mug", 890), ("rug", 11900), ("stool", 5400))
FIRST_DAY: Final = date(2024, 1, 1)

Row = tuple[int, str, str, str, int, str, str]


def parts(rows: int) -> range:
    """The numbers of the parts that so many rows make."""
    return range(-(-rows // PART))


def rows_of(part: int, rows: int, pause: float = PART_SECONDS) -> Iterator[Row]:
    """The rows of one part of so many in all. They depend on nothing but its number."""
    time.sleep(pause)
    first = part * PART + 1
    yield from map(row, range(first, min(first + PART, rows + 1)))


def row(number: int) -> Row:
    """The row of an order number, from 1. Prices are written with two decimals."""
    drawn = number * 2654435761 % 2**32  # Knuth's multiplicative hash: cheap, and looks random
    product, cents = PRODUCTS[drawn % 5]
    quantity = 1 + drawn // 5 % 5
    placed = FIRST_DAY + timedelta(days=drawn // 25 % 730)
    customer = f"C{1000 + drawn // 18250 % 9000}"
    unit, total = f"{cents / 100:.2f}", f"{cents * quantity / 100:.2f}"
    return number, placed.isoformat(), customer, product, quantity, unit, total
