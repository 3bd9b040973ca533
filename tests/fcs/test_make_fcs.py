"""The maker's files are what it says: two foreign readers and a decoder that forgives nothing read the same."""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import flowio
import numpy as np
import pytest
from fcsparser.api import FCSParser
from hypothesis import given, settings

from tests.fcs.legal_files import all_legal
from tests.fcs.make_fcs import Made, Spec, make
from tests.fcs.quirk_files import Quirk, all_quirks
from tests.fcs.random_specs import specs
from tests.fcs.specimens import doubles, floats, integers, wide
from tests.fcs.strict_decoder import NotStrictError, take_apart
from tests.fcs.words import crc16, decode, encode, float_of, mask_of

# Legal by the letter, but the quirk is that vendors who mean it do not follow the letter elsewhere either.
STRICTLY_LEGAL_QUIRKS = {
    "header_analysis_blank",
    "stext_and_analysis_keywords_missing",
    "timestep_blank_navios",
    "numbers_padded_with_spaces",
    "float_ranges_macsquant",
    "pnr_absurdly_large_int",
    "zero_events_end_before_begin",
}

PLAIN = {
    "i16": integers(),
    "i16_little": integers(byteord="1,2,3,4"),
    "i32_little": wide(32),
    "f32": floats(),
    "f32_big": floats(byteord="4,3,2,1"),
    "f64_little": doubles(byteord="1,2,3,4"),
    "v2.0": integers(version="2.0", byteord="1,2,3,4"),
    "v3.0": floats(version="3.0", delimiter="|"),
}


def _matrix(made: Made) -> np.ndarray:
    kinds = [column.kind or made.spec.datatype for column in made.spec.columns]
    columns = [
        [value if kind == "I" else float_of(value, column.bits) for value in values]
        for kind, column, values in zip(kinds, made.spec.columns, made.columns, strict=True)
    ]
    return np.array(columns, dtype=np.float64).T


@pytest.mark.parametrize("spec", PLAIN.values(), ids=PLAIN)
def test_flowio_reads_the_same(spec: Spec) -> None:
    made = make(spec)
    seen = flowio.FlowData(io.BytesIO(made.data))
    assert tuple(seen.pnn_labels) == made.names
    np.testing.assert_array_equal(np.reshape(seen.events, (-1, len(made.names))), _matrix(made))


@pytest.mark.parametrize("name", [name for name, spec in PLAIN.items() if spec.byteord.startswith("1")])
def test_fcsparser_reads_the_same(name: str, tmp_path: Path) -> None:
    """Little endian only: its version that can be installed fails on big-endian files under numpy 2."""
    made = make(PLAIN[name])
    path = made.write(tmp_path / "plain.fcs")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        seen = FCSParser(str(path), read_data=True)
    assert tuple(seen.channel_names_n) == made.names
    np.testing.assert_array_equal(np.asarray(seen.data, dtype=np.float64), _matrix(made))


@pytest.mark.parametrize("name", tuple(all_legal()))
def test_legal_variants_are_legal(name: str) -> None:
    made = make(all_legal()[name])
    parts = take_apart(made.data)
    assert (parts.names, parts.columns) == (made.names, made.columns)


@settings(max_examples=150, derandomize=True, deadline=None)
@given(spec=specs())
def test_random_legal_files_are_legal(spec: Spec) -> None:
    made = make(spec)
    parts = take_apart(made.data)
    assert (parts.names, parts.columns) == (made.names, made.columns)
    assert dict(parts.text).items() >= {spec.rename(key): value for key, value in spec.extra}.items()


@pytest.mark.parametrize("quirk", tuple(all_quirks()), ids=lambda quirk: quirk.name)
def test_quirks_depart_from_the_standard(quirk: Quirk) -> None:
    data = quirk.damage(make(quirk.spec).data)
    if quirk.name in STRICTLY_LEGAL_QUIRKS:
        take_apart(data)
        return
    with pytest.raises(NotStrictError):
        take_apart(data)


def test_offsets_are_true() -> None:
    made = make(integers(stext=(("NOTE", "x"),), analysis=b"/A/1/", gap=7, crc=0))
    rows = zip(*(column.values for column in made.spec.columns), strict=True)
    stored = b"".join(encode(value, "I", 16, "4,3,2,1") for row in rows for value in row)
    assert made.data[made.begin : made.end + 1] == stored
    assert made.data[made.begin - 7 : made.begin] == b" " * 7
    assert int(made.data[26:34]) == made.begin
    assert int(made.data[34:42]) == made.end
    assert int(made.data[-8:]) == crc16(made.data[:-8])


def test_checksum_of_the_usual_digits() -> None:
    assert crc16(b"123456789") == 0x2189


@pytest.mark.parametrize(
    ("order", "stored"),
    [("1,2,3,4", "44332211"), ("4,3,2,1", "11223344"), ("3,4,1,2", "22114433"), ("2,1,4,3", "33441122")],
)
def test_byte_orders(order: str, stored: str) -> None:
    assert encode(0x11223344, "I", 32, order).hex() == stored
    assert decode(bytes.fromhex(stored), "I", order, 1 << 32) == 0x11223344


@pytest.mark.parametrize(
    ("top", "bits", "mask"),
    [(1, 16, 0), (2, 16, 1), (1000, 16, 1023), (1024, 16, 1023), (1025, 16, 2047), (1 << 40, 32, (1 << 32) - 1)],
)
def test_masks(top: int, bits: int, mask: int) -> None:
    assert mask_of(top, bits) == mask
