"""From stored values to scale values: logs, gains, seconds, by the formulas of the standard, one value at a time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stromagate.fcs import open_fcs, read_fcs
from stromagate.model.sample import GainConvention
from tests.fcs.make_fcs import Column, Spec, make
from tests.fcs.scale_truth import same_scale, scaled
from tests.fcs.specimens import FLOATS, SIXTEEN, floats, integers
from tests.fcs.strict_decoder import take_apart


@st.composite
def scaled_columns(draw: st.DrawFn, name: str, kind: str) -> Column:
    """Draw a column with a log scale (integers only), a gain, or neither."""
    values = draw(st.lists(st.integers(0, 65535), min_size=5, max_size=5))
    log = draw(st.none() | st.tuples(st.sampled_from((1, 3, 4, 4.5, 5, 6)), st.sampled_from((0.01, 0.1, 1, 2.5))))
    gain = draw(st.none() | st.sampled_from(("1", "2", "0.5", "1.0", "10.25", "0", "62500")))
    if kind == "I":
        pne = f"{log[0]},{log[1]}" if log is not None else "0,0"
        top = draw(st.sampled_from((1024, 1000, 4096, 65536)))
        return Column(name, tuple(values), 16, str(top), pne=pne, png=None if log is not None else gain)
    floating = tuple(float(np.float32(value / 7 - 1000)) for value in values)
    return Column(name, floating, 32, "262144", png=gain)


@st.composite
def scaled_specs(draw: st.DrawFn) -> Spec:
    """Draw a data set whose columns are scaled in every way there is."""
    kind = draw(st.sampled_from("IF"))
    columns = [draw(scaled_columns(f"C{n}", kind)) for n in range(4)]
    time = draw(st.sampled_from(("Time", "TIME", "time")))
    columns[3] = replace(columns[3], name=time, pne="0,0", png=draw(st.none() | st.sampled_from(("1", "0.01"))))
    step = draw(st.none() | st.sampled_from(("0.01", "1", "1E-8", "1e-3", ".5")))
    extra = () if step is None else (("$TIMESTEP", step),)
    return Spec(tuple(columns), datatype=kind, extra=extra, version=draw(st.sampled_from(("3.0", "3.1", "3.2"))))


def _check(spec: Spec, folder: Path) -> None:
    made = make(spec)
    path = made.write(folder / "scaled.fcs")
    for gain in ("apply", "ignore"):
        sample = read_fcs(path, gain=gain)
        assert sample.verdict == "ok"
        assert sample.gain == gain
        is_time = [(column.name or "").lower() == "time" for column in spec.columns]
        assert [channel.is_time for channel in sample.channels] == is_time
        assert same_scale(sample.events, scaled(take_apart(made.data), is_time, gain))
        streamed = [block.copy() for block in open_fcs(path, gain=gain).blocks(rows=2)]
        np.testing.assert_array_equal(np.concatenate(streamed), sample.events)


@settings(
    max_examples=150,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # each example overwrites one file
)
@given(spec=scaled_specs())
def test_random_scales(spec: Spec, tmp_path: Path) -> None:
    _check(spec, tmp_path)


def test_a_log_is_over_the_range_and_not_over_the_mask(tmp_path: Path) -> None:
    """``10 ** (d x / R)`` with R itself: at the range's half, a four-decade channel of 1000 shows 100 exactly."""
    column = Column("FL1-H", (500, 0, 250), 16, "1000", pne="4,1")
    sample = read_fcs(make(Spec((column,))).write(tmp_path / "log.fcs"))
    np.testing.assert_allclose(sample.events[:, 0], [100, 1, 10], rtol=1e-6)
    assert (sample.channels[0].log_decades, sample.channels[0].log_offset) == (4, 1)


@pytest.mark.parametrize("gain", ["apply", "ignore"])
def test_gain_and_time_step_are_never_both_applied_to_time(gain: GainConvention, tmp_path: Path) -> None:
    """Diva writes both as 0.01; applying both would make seconds wrong by a factor of a hundred."""
    columns = (*FLOATS[:2], replace(FLOATS[2], png="0.01"))
    made = make(floats(columns=columns, extra=(("$TIMESTEP", "0.01"),)))
    sample = read_fcs(made.write(tmp_path / "diva.fcs"), gain=gain)
    np.testing.assert_allclose(sample.events[:, 2], [0.005, 0.01, 0.015, 0.02, 0.025], rtol=1e-6)
    assert sample.channels[2].is_time
    assert sample.timestep_s == 0.01
    assert sample.channels[2].gain == 0.01


def test_a_gain_of_zero_means_none(tmp_path: Path) -> None:
    columns = (replace(SIXTEEN[0], png="0"), *SIXTEEN[1:])
    sample = read_fcs(make(integers(columns=columns)).write(tmp_path / "s3.fcs"))
    assert sample.events[0, 0] == 1000
    assert sample.channels[0].gain == 1.0


def test_values_above_the_range_are_kept(tmp_path: Path) -> None:
    columns = tuple(replace(column, top="100") for column in FLOATS)
    sample = read_fcs(make(floats(columns=columns)).write(tmp_path / "above.fcs"))
    assert sample.events[4, 0] == 262143.0
    assert sample.channels[0].range_top == 100


@pytest.mark.parametrize("order", ["1,2,3,4", "4,3,2,1"])
@pytest.mark.parametrize("others", [(16,), (8, 16), (24,), (32,), (64,)])
def test_values_with_bits_beyond_the_range_are_counted(tmp_path: Path, order: str, others: tuple[int, ...]) -> None:
    """$PnR 100 keeps seven bits: 200 is read as 72, as the standard asks, and that is said."""
    low = Column("low", (99, 127, 128, 200), others[0], "100")
    columns = (low, *(Column(f"full{bits}", (0, 1, 255, 7), bits, str(2**bits)) for bits in others))
    sample = read_fcs(make(Spec(columns, byteord=order)).write(tmp_path / "masked.fcs"))
    assert sample.events[:, 0].tolist() == [99, 127, 0, 72]
    assert dict(sample.masked) == {"low": 2}


@pytest.mark.parametrize("at", [0, 63, 64, 199, None])
def test_one_value_beyond_the_range_is_found_wherever_it_is(tmp_path: Path, at: int | None) -> None:
    values = [number % 100 for number in range(200)]
    if at is not None:
        values[at] = 128
    columns = (Column("other", tuple([50] * 200), top="100"), Column("low", tuple(values), top="100"))
    sample = read_fcs(make(Spec(columns)).write(tmp_path / "one.fcs"))
    assert dict(sample.masked) == ({} if at is None else {"low": 1})


def test_what_is_no_number_is_counted(tmp_path: Path) -> None:
    odd = Column("A", (float("nan"), float("inf"), float("-inf"), 1e-40, 2.0), 32, "1")
    sample = read_fcs(make(floats(columns=(odd, *FLOATS[:2]))).write(tmp_path / "nan.fcs"))
    assert dict(sample.non_finite) == {"A": 3}
    assert sample.events[4, 0] == 2.0


def test_a_double_past_the_floats_is_counted_as_no_number(tmp_path: Path) -> None:
    """-2.5e300 cannot be a 32-bit float: as a scale value it is infinite, and that is said."""
    columns = (Column("A", (1.0, -2.5e300, 3.0), 64, "1e9"),)
    sample = read_fcs(make(Spec(columns, datatype="D")).write(tmp_path / "double.fcs"))
    assert sample.events[:, 0].tolist() == [1.0, float("-inf"), 3.0]
    assert dict(sample.non_finite) == {"A": 1}
