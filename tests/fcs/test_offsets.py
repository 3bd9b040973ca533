"""HEADER and TEXT may each say anything about where DATA is: all pairs of lies, and never a wrong event in silence."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from stromagate.errors import InputError
from stromagate.model.sample import Policy
from tests.fcs.make_fcs import Made, Offsets, Spec, make
from tests.fcs.readings import assert_exact, bits, read
from tests.fcs.specimens import floats, integers


def _pair(begin: int | None, end: int | None) -> Offsets:
    """Return offsets that are off by so many bytes; None stands for 0,0."""
    if begin is None or end is None:
        return lambda *_: (0, 0)
    return lambda first, last: (max(first + begin, 0), max(last + end, 0))


SHIFTS = (-46, -8, -1, 1, 2, 46)
PAIRS: dict[str, Offsets] = {
    "true": _pair(0, 0),
    "zero": _pair(None, None),
    "large": lambda begin, _: (begin, 99999999),
    **{f"both{shift:+d}": _pair(shift, shift) for shift in SHIFTS},
    **{f"begin{shift:+d}": _pair(shift, 0) for shift in SHIFTS},
    **{f"end{shift:+d}": _pair(0, shift) for shift in SHIFTS},
}

LAYOUTS = {
    "data_last": {},
    "analysis_behind": {"analysis": bytes(range(1, 100))},
    "checksum": {"crc": 0},
    "blank_gap": {"gap": 60},
    "text_last": {"order": ("data", "text")},
    "supplement": {"stext": (("NOTE", "x" * 40),), "order": ("text", "data", "stext")},
}
SPECIMENS = {"i16": integers, "f32": floats}


def _outcome(made: Made, path: Path, policy: Policy) -> str:
    try:
        reading = read(path, policy)
    except InputError:
        return "refused"
    right = (made.names, made.columns) == (reading.raw.names, tuple(bits(column) for column in reading.raw.columns))
    return ("right" if right else "wrong") + (", told" if reading.codes else "")


@pytest.mark.parametrize("specimen", SPECIMENS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_pair_of_lies(layout: str, specimen: str, tmp_path: Path) -> None:
    path = tmp_path / "lie.fcs"
    seen: Counter[str] = Counter()
    for header, in_header in PAIRS.items():
        for text, in_text in PAIRS.items():
            made = make(_lying(specimen, layout, in_header, in_text))
            path.write_bytes(made.data)
            tolerant, strict = (_outcome(made, path, policy) for policy in ("repair", "strict"))
            seen[tolerant] += 1
            if header == text and header.startswith("both"):
                # One wrong place of the right length, said twice: the file is consistent, though not what was meant.
                continue
            assert (tolerant == "right") == (header == text == "true"), (header, text, tolerant)
            assert strict == ("right" if header == text == "true" else "refused"), (header, text, strict)
            if "true" in (header, text):
                assert tolerant != "wrong, told", (header, text)
            assert tolerant != "wrong", (header, text)
    assert seen["right, told"] > 40, "too little is repaired"
    if layout != "blank_gap":  # blanks read as events cannot be told from events: there the remark has to do
        assert seen["wrong, told"] < 40, "where both lie, too much is believed"


def _lying(specimen: str, layout: str, in_header: Offsets, in_text: Offsets) -> Spec:
    return SPECIMENS[specimen](header_data=in_header, text_data=in_text, **LAYOUTS[layout])


@pytest.mark.parametrize("pair", [name for name in PAIRS if name not in ("large",) and not name.startswith("begin")])
def test_version_2_0_has_only_the_header(pair: str, tmp_path: Path) -> None:
    """Without a second pair and without ``$TOT`` the span is all there is: whole events or none."""
    made = make(integers(version="2.0", header_data=PAIRS[pair], tail=b"00000000"))
    path = made.write(tmp_path / "old.fcs")
    outcome = _outcome(made, path, "repair")
    assert outcome in ({"true": ("right",)}.get(pair, ("refused", "right, told"))) or pair.startswith("both"), outcome


def test_what_vendors_put_into_the_text_of_2_0_is_used_where_the_header_is_zero(tmp_path: Path) -> None:
    spec = integers(version="2.0")
    begin, end = make(spec).begin, make(spec).end
    for _ in range(3):  # the added keywords move DATA
        told = integers(
            version="2.0",
            header_data=PAIRS["zero"],
            extra=(("$BEGINDATA", f"{begin:06d}"), ("$ENDDATA", f"{end:06d}")),
        )
        made = make(told)
        begin, end = made.begin, made.end
    reading = read(made.write(tmp_path / "old.fcs"))
    assert_exact(reading, made)
    assert "header.zero" in reading.codes
