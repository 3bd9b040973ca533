"""Agreement of two readers, against published worked examples and what must hold for all readings."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stromagate.errors import UsageError
from stromagate.quantify.agreement import bland_altman, intraclass, kappa

# Shrout and Fleiss 1979, table 2 (doi:10.1037/0033-2909.86.2.420): six subjects, four judges.
JUDGES = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
# Bland and Altman 1986, table 1 (doi:10.1016/S0140-6736(86)90837-8): first readings of peak flow, L/min.
WRIGHT = [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427]
MINI = [512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451]
# Hout, Duncan and Sobel 1987 as in Agresti's textbook: how often two partners find it fun, of four words.
FUN = [[7, 7, 2, 3], [2, 8, 3, 7], [1, 5, 4, 9], [2, 8, 9, 14]]

READINGS = st.lists(
    st.tuples(*[st.floats(0.1, 1e4).map(lambda value: round(value, 3))] * 2), min_size=4, max_size=20
).filter(lambda pairs: len({a for a, _ in pairs}) > 2 and any(a != b for a, b in pairs))
WORDS = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), min_size=2, max_size=40)


def words_of(table: list[list[int]]) -> tuple[list[str], list[str]]:
    cells = [("wxyz"[i], "wxyz"[j], n) for i, row in enumerate(table) for j, n in enumerate(row)]
    return [a for a, _, n in cells for _ in range(n)], [b for _, b, n in cells for _ in range(n)]


def test_intraclass_of_shrout_and_fleiss() -> None:
    found = intraclass(JUDGES)
    assert found.value == pytest.approx(0.29, abs=0.005)
    assert (found.low, found.high) == (pytest.approx(0.019, abs=5e-4), pytest.approx(0.761, abs=5e-4))
    assert (found.n, found.k) == (6, 4)


def test_limits_of_bland_and_altman() -> None:
    found = bland_altman(MINI, WRIGHT, log=False)
    assert found.bias == pytest.approx(-2.1, abs=0.05)
    assert found.bias_ci == (pytest.approx(-22.0, abs=0.06), pytest.approx(17.8, abs=0.06))
    # The paper takes 2 standard deviations (38.8) where 1.96 are meant.
    assert (found.upper - found.bias) * 2 / 1.959964 == pytest.approx(2 * 38.8, abs=0.1)
    # Its interval of a limit is 34.6 to either side (-114.3 to -45.1).
    assert found.lower - found.lower_ci[0] == pytest.approx(34.6, abs=0.15)


def test_limits_of_logarithms_by_hand() -> None:
    found = bland_altman([1, 10, 100, 1000], [2, 20, 200, 2000])
    assert (found.bias, found.lower, found.upper) == (pytest.approx(2), pytest.approx(2), pytest.approx(2))
    spread = bland_altman([1, 1, 1], [1, math.e, math.e**2])
    # Logarithms 0, 1, 2: mean 1, standard deviation 1, t(2) = 4.302653.
    assert math.log(spread.bias) == pytest.approx(1)
    assert math.log(spread.upper) == pytest.approx(1 + 1.959964, abs=1e-6)
    assert math.log(spread.bias_ci[1]) == pytest.approx(1 + 4.302653 / math.sqrt(3), abs=1e-6)
    assert math.log(spread.upper_ci[1]) == pytest.approx(1 + 1.959964 + 4.302653, abs=1e-6)


def test_pairs_without_a_logarithm_are_left_out_and_counted() -> None:
    found = bland_altman([1, 2, 3, 0, 5, None], [1, 2, 4, 5, 0, 7])
    assert (found.n, found.n_left_out) == (3, 3)
    assert bland_altman([1, 2, 3, 0, 5, None], [1, 2, 4, 5, 0, 7], log=False).n_left_out == 1


def test_kappa_of_the_textbook() -> None:
    found = kappa(*words_of(FUN))
    assert found.value == pytest.approx(0.1293, abs=5e-5)
    assert (found.high - found.value) / 1.959964 == pytest.approx(0.06860, abs=5e-6)
    assert (found.n, found.words, found.table) == (91, tuple("wxyz"), tuple(map(tuple, FUN)))


def test_kappa_by_hand() -> None:
    # 20 and 15 agree of 50; rows 25, 25; columns 30, 20: 0.7 seen, 0.5 by chance.
    found = kappa(*words_of([[20, 5], [10, 15]]))
    assert (found.observed, found.expected, found.value) == (0.7, 0.5, pytest.approx(0.4))


def test_readers_of_one_word_have_no_kappa() -> None:
    found = kappa(["low"] * 5, ["low"] * 5)
    assert (found.value, found.low, found.high, found.observed) == (None, None, None, 1.0)
    always = kappa(["low"] * 5, ["low"] * 4 + ["high"])
    assert always.value == pytest.approx(0.0)


@pytest.mark.parametrize(
    ("readings", "code"),
    [
        ([], "readings"),
        ([[1, 2], [2, 3]], "readings"),
        ([[1], [2], [3]], "readings"),
        ([[1, 2], [2, 3], [3]], "readings"),
        ([[1, 2], [2, 3], [3, math.nan]], "finite"),
        ([[1, 2], [1, 2], [1, 2]], "alike"),
    ],
)
def test_readings_that_cannot_be_compared(readings, code: str) -> None:
    with pytest.raises(UsageError) as caught:
        intraclass(readings)
    assert caught.value.code == f"agreement.{code}"
    assert caught.value.hint


@pytest.mark.parametrize(
    ("first", "second", "code"),
    [
        ([1, 2, 3], [1, 2], "pairs"),
        ([1, 2], [1, 2], "few"),
        ([1, 2, 0, 0], [1, 2, 3, 4], "few"),
        ([1, 2, None], [1, 2, 3], "few"),
        ([1, 2, -3], [1, 2, 3], "negative"),
    ],
)
def test_pairs_that_cannot_be_compared(first, second, code: str) -> None:
    with pytest.raises(UsageError) as caught:
        bland_altman(first, second)
    assert caught.value.code == f"agreement.{code}"


@pytest.mark.parametrize(("first", "second"), [([], []), (["a"], ["a", "b"])])
def test_words_without_pairs(first: list[str], second: list[str]) -> None:
    with pytest.raises(UsageError, match="make no pairs"):
        kappa(first, second)


def test_readers_who_agree_in_everything() -> None:
    found = intraclass([[1, 1], [2, 2], [5, 5]])
    assert (found.value, found.low, found.high) == (1.0, 1.0, 1.0)
    assert kappa("abca", "abca").value == 1.0
    assert bland_altman([1, 2, 3], [1, 2, 3]).upper == 1.0


@given(READINGS, st.floats(0.5, 100), st.floats(-50, 50))
def test_intraclass_knows_no_unit_and_no_order_of_readers(
    pairs: list[tuple[float, float]], scale: float, shift: float
) -> None:
    found = intraclass(pairs)
    other = intraclass([(b * scale + shift, a * scale + shift) for a, b in pairs])
    assert found.value == pytest.approx(other.value, abs=1e-6)
    assert found.low <= found.value + 1e-9 <= found.high + 2e-9
    assert found.value <= 1


@given(READINGS)
def test_limits_turn_round_with_the_readers(pairs: list[tuple[float, float]]) -> None:
    first, second = zip(*pairs, strict=True)
    one, other = bland_altman(first, second), bland_altman(second, first)
    assert one.bias == pytest.approx(1 / other.bias)
    assert one.lower == pytest.approx(1 / other.upper)
    assert one.lower_ci[0] <= one.lower <= one.bias <= one.upper <= one.upper_ci[1]


@given(WORDS)
def test_kappa_is_the_same_from_either_reader_and_for_other_words(pairs: list[tuple[str, str]]) -> None:
    first, second = zip(*pairs, strict=True)
    one = kappa(first, second)
    renamed = [[{"a": "z", "b": "m", "c": "k"}[word] for word in words] for words in (second, first)]
    other = kappa(*renamed)
    if one.value is None:
        assert other.value is None
        return
    assert one.value == pytest.approx(other.value)
    assert one.high == pytest.approx(other.high)
    assert -1 <= one.low <= one.value <= one.high <= 1
    assert sum(map(sum, one.table)) == one.n


def test_the_interval_of_the_intraclass_holds_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(7)
    held = 0
    for _ in range(400):
        tubes = rng.normal(0, 1, 12)[:, None] + rng.normal(0, 0.3, 6)[None, :] + rng.normal(0, 0.5, (12, 6))
        found = intraclass(tubes.tolist())
        held += found.low <= 1 / (1 + 0.3**2 + 0.5**2) <= found.high
    assert 0.92 < held / 400 < 0.98
