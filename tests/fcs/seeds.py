"""What the mutation fuzzer starts from: small synthetic files, and real ones cut to a few events."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from tests.fcs.make_fcs import Column, make
from tests.fcs.specimens import FLOATS, SIXTEEN, doubles, floats, integers, mixed, of_every_kind, wide
from tests.fcs.strict_decoder import NotStrictError, Parts, take_apart
from tests.reference_data import DATA

MOST_REAL_SEEDS = 24
MOST_EVENTS = 24
MOST_TEXT_BYTES = 9000


@dataclass(frozen=True)
class Seed:
    """One legal file and the only way to read it."""

    name: str
    whole: bytes
    parts: Parts


def synthetic() -> tuple[Seed, ...]:
    """Return files of the maker, one for each thing that decoding depends on."""
    logs = tuple(replace(column, pne=pne) for column, pne in zip(SIXTEEN, ("0,0", "4,1", "4,1", "0,0"), strict=True))
    odd = (replace(FLOATS[0], name="CD45/RA|x"), replace(FLOATS[1], png="2.5"), FLOATS[2])
    matrix = (("$SPILLOVER", "2,FL1-H,FL2-H,1,0.1,0.25,1"), ("$P3S", "CD45"))
    made = {
        "i16_big": integers(),
        "i16_logs_2.0": integers(version="2.0", columns=logs, byteord="2,1"),
        "i16_little_3.0": integers(version="3.0", byteord="1,2"),
        "i24": wide(24, "4,3,2,1"),
        "i32_masks": wide(32),
        "i64": wide(64),
        "i32_pdp": wide(32, "3,4,1,2", version="3.0"),
        "i_mixed": mixed((8, 16, 32, 24)),
        "f32": floats(extra=(("$TIMESTEP", "0.01"),)),
        "f32_names_gain": floats(columns=odd, delimiter="|", version="3.0"),
        "f64": doubles(),
        "ifd_3.2": of_every_kind(),
        "stext_analysis": integers(stext=matrix, analysis=b"/GATE/1/"),
        "text_last_crc": floats(order=("data", "text"), crc=0),
        "many_columns": integers(columns=tuple(Column(f"P-{n}", (n, 7 * n, 999), 16, "1000") for n in range(24))),
    }
    return tuple(Seed(name, whole := make(spec).data, take_apart(whole)) for name, spec in made.items())


@cache
def real() -> tuple[Seed, ...]:
    """Return real files of different instruments, cut to a few events; none where the reference data are absent."""
    chosen: dict[str, Seed] = {}
    for path in sorted(DATA.rglob("*.[fF][cC][sS]"), key=lambda path: (path.stat().st_size, path.name)):
        seed = _trimmed(path)
        if seed is not None:
            chosen.setdefault(_kin(seed), seed)
    return tuple(list(chosen.values())[:MOST_REAL_SEEDS])


def all_seeds() -> tuple[Seed, ...]:
    """Return the synthetic seeds, then the real ones."""
    return synthetic() + real()


def _kin(seed: Seed) -> str:
    """Files of one instrument, version, type and width of table teach the same."""
    found = {key.upper(): value for key, value in seed.parts.text}
    said = (found.get("$CYT", ""), found["$DATATYPE"], found["$BYTEORD"], found["$PAR"])
    return "|".join((*said, seed.parts.version, seed.parts.delimiter))


def _trimmed(path: Path) -> Seed | None:
    """Cut DATA after a few events and rewrite the numbers in place, so that TEXT keeps its quirks byte for byte."""
    with path.open("rb") as handle:
        head = handle.read(1 << 16)
    fields = [_digits(head[at : at + 8]) for at in range(10, 42, 8)]
    if head[:3] != b"FCS" or None in fields:
        return None
    text_begin, text_end, begin, end = (int(field or 0) for field in fields)
    stride_bits = sum(int(bits) for bits in re.findall(rb"\$P[0-9]+B.([0-9]+)", head[: text_end + 1]))
    stop = begin + MOST_EVENTS * stride_bits // 8
    if not (58 <= text_begin <= text_end < begin < stop <= min(end, len(head)) and text_end < MOST_TEXT_BYTES):
        return None
    text = head[:stop]
    text = text[:34] + str(stop - 1).encode().rjust(8) + b"       0       0" + text[58:]
    for key, value in ((b"$TOT", MOST_EVENTS), (b"$ENDDATA", stop - 1), (b"$ENDANALYSIS", 0), (b"$BEGINANALYSIS", 0)):
        text = _overwrite(text, key, value)
    try:
        return Seed(path.name, text, take_apart(text))
    except NotStrictError:
        return None


def _overwrite(text: bytes, key: bytes, value: int) -> bytes:
    match = re.search(re.escape(key) + rb"(.) *([0-9]+) *\1", text)
    if match is None or len(match[2]) < len(str(value)):
        return text
    return text[: match.start(2)] + str(value).encode().zfill(len(match[2])) + text[match.end(2) :]


def _digits(field: bytes) -> int | None:
    return int(field) if re.fullmatch(rb" *[0-9]+ *", field) else None
