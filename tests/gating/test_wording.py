"""Numbers in the sentences of fits: readable, and never rounded to nothing or to everything."""

from __future__ import annotations

import pytest

from stromagate.gating.wording import listed, number, share


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.41234, "0.412"), (999.4, "999"), (1000, "1,000"), (11000, "11,000"), (-62345.6, "-62,346"), (0, "0")],
)
def test_numbers(value: float, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(
    ("fraction", "text"),
    [
        (0, "0 %"),
        (0.00001, "under 0.01 %"),
        (0.0034, "0.34 %"),
        (0.41, "41 %"),
        (0.994, "99 %"),
        (0.997, "99.7 %"),
        (0.99999, "99.9 %"),
        (1, "100 %"),
    ],
)
def test_shares_are_all_only_where_they_are(fraction: float, text: str) -> None:
    assert share(fraction) == text


def test_lists() -> None:
    assert listed(["CD45"], "and") == "CD45"
    assert listed(["CD45", "CD271", "CD146"], "and") == "CD45, CD271 and CD146"
