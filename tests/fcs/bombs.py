"""Files that lie about their size, and things in a folder that are no files: each by name."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from tests.fcs.make_fcs import Made, Offsets, Spec, make
from tests.fcs.specimens import floats, integers

Content = Spec | bytes


@dataclass(frozen=True)
class Bomb:
    """One bomb: what is in it, and whether it must be refused, read, or may be either.

    What is costly to make is given as a function. ``place`` puts what is no plain file into a folder.
    """

    content: Content | Callable[[], Content] = b""
    outcome: Literal["refuse", "read", "either"] = "refuse"
    codes: tuple[str, ...] = ()
    place: Callable[[Path], Path] | None = None

    def put(self, folder: Path) -> tuple[Path, Made | None]:
        """Put the bomb into a folder; return its path and, for a data set, the truth about it."""
        if self.place is not None:
            return self.place(folder), None
        content = self.content() if callable(self.content) else self.content
        made = make(content) if isinstance(content, Spec) else None
        path = folder / "bomb.fcs"
        path.write_bytes(made.data if made is not None else content)  # type: ignore[arg-type]  # bytes where no Spec
        return path, made


def all_bombs() -> dict[str, Bomb]:
    """Return every bomb by name."""
    return {**counts(), **offsets(), **numbers(), **big_texts(), **data_sets(), **contents(), **not_files()}


def counts() -> dict[str, Bomb]:
    """Return declared counts that no file could hold."""
    found = {}
    for par in (10**5, 10**7, 2**31 - 1, 10**9, 10**18):
        found[f"par_{par}"] = _lie({"$PAR": str(par)})
    for tot in (10**9, 10**12, 2**63):
        found[f"tot_{tot}"] = _lie({"$TOT": str(tot)})
    found["tot_100000_digits"] = _lie({"$TOT": "9" * 100_000})
    found["tot_and_offsets_1e12"] = _lie(
        {"$TOT": str(10**12)}, text_data=lambda begin, _: (begin, begin + 8 * 10**12 - 1)
    )
    found["par_100000_tot_1000000000"] = _lie({"$PAR": "100000", "$TOT": "1000000000"})
    return found


def offsets() -> dict[str, Bomb]:
    """Return offsets that point far away, backwards, or at the file's own HEADER."""
    found = {}
    for key in ("$ENDSTEXT", "$ENDANALYSIS"):
        begin = key.replace("END", "BEGIN")
        spec = integers(change={begin: "100", key: str(10**12)})
        # Neither segment is needed for the events, so such a file may be read; it must not be allocated.
        found[f"offset_1e12_{key[1:]}"] = Bomb(spec, "either")
    for key in ("$BEGINDATA", "$ENDDATA"):
        spec = integers(change={key: str(10**12)})
        found[f"offset_1e12_{key[1:]}"] = Bomb(spec, "either")
    pairs: dict[str, Offsets] = {
        "99999999": lambda begin, _: (begin, 99999999),
        "backwards": lambda begin, end: (end, begin),
        "negative": lambda _begin, end: (-58, end),
        "in_the_header": lambda _begin, _end: (0, 57),
        "far_away": lambda _begin, _end: (99999990, 99999999),
        "words": lambda _begin, _end: ("BEGIN", "END"),
    }
    for name, pair in pairs.items():
        found[f"header_text_{name}"] = Bomb(integers(header_text=pair))
    both = integers(header_data=lambda *_: (0, 55), text_data=lambda *_: (0, 55))
    found["data_is_the_header"] = Bomb(both)
    return found


def numbers() -> dict[str, Bomb]:
    """Return numbers that are too long, too wide, or not numbers of the standard."""
    found = {
        "pnb_2e31": _lie({f"$P{n}B": str(2**31) for n in range(1, 5)}),
        "pnb_one_2e30_mixed": _lie({"$P2B": str(2**30)}),
        "pnb_zero": _lie({f"$P{n}B": "0" for n in range(1, 5)}),
        "pnr_int_4000_digits": _lie({"$P1R": "9" * 4000}),
        "pnr_zero": _lie({"$P1R": "0"}),
        "pnr_negative": _lie({"$P1R": "-1024"}),
        "par_zero": _lie({"$PAR": "0"}),
        "par_with_underscore": _lie({"$PAR": "0_4"}),
        "tot_with_sign": _lie({"$TOT": "+7"}),
        "tot_in_arabic_digits": _lie({"$TOT": "٧"}),
        "tot_in_exponents": _lie({"$TOT": "7e0"}),
        "byteord_of_a_million": _lie({"$BYTEORD": ",".join(map(str, range(1, 200_000)))}),
    }
    odd = {"$P1G": "1e-999", "$TIMESTEP": "9" * 5000, "$SPILLOVER": "1000000000,A,B,1,0,0,1"}
    found["odd_numbers_beside_the_events"] = Bomb(integers(extra=tuple(odd.items())), "read")
    found["pne_1e999"] = Bomb(integers(change={"$P1E": "1e999,1e999"}), "either")
    matrix = "400," + ",".join(f"C{n}" for n in range(400)) + ",1" * 160_000
    found["spillover_400_by_400"] = Bomb(integers(extra=(("$SPILLOVER", matrix),)), "read")
    return found


def big_texts() -> dict[str, Bomb]:
    """Return long TEXT segments: legal ones are read, those past the limits refused."""
    return {
        "keywords_200000": Bomb(lambda: _keywords(200_000), codes=("fcs.limit",)),
        "keywords_90000": Bomb(lambda: _keywords(90_000), "read"),
        "value_of_8_mib": Bomb(lambda: _comment("x" * (8 << 20)), "read"),
        "text_past_64_mib": Bomb(lambda: _comment("x" * ((64 << 20) + 1)), codes=("fcs.limit",)),
        "delimiters_800000_doubled": Bomb(lambda: _comment("x" + "/" * 400_000), "read"),
        "delimiters_800000_at_the_end": Bomb(integers(text_end=b"/" * 800_000), "either"),
        "blanks_4000000_at_the_end": Bomb(integers(text_end=b"/" + b" " * 4_000_000), "either"),
    }


def data_sets() -> dict[str, Bomb]:
    """Return chains of data sets that lead back, nowhere, or on for ever."""
    found = {}
    for name, step in {"self": "1", "negative": "-100", "huge": "9" * 18, "digits": "9" * 6000}.items():
        found[f"nextdata_{name}"] = Bomb(integers(change={"$NEXTDATA": step}), "either")
    found["data_sets_20000"] = Bomb(lambda: _linked(20_000), codes=("fcs.limit", "fcs.datasets"))
    return found


def contents() -> dict[str, Bomb]:
    """Return files that are no FCS file, or not enough of one."""
    plain = make(integers()).data
    found = {
        "empty_file": b"",
        "one_byte": b"F",
        "magic_only": b"FCS",
        "magic_and_version": b"FCS3.1",
        "header_only": plain[:58],
        "header_less_a_byte": plain[:57],
        "all_zero_4096": bytes(4096),
        "all_blank_4096": b" " * 4096,
        "gzip_of_ten_megabytes": gzip.compress(bytes(10 << 20), mtime=0),
        "unknown_version": plain.replace(b"FCS3.1", b"FCS9.9"),
        "text_of_one_delimiter": b"FCS3.1    " + b"      58      58" + b"       0" * 4 + b"/",
        "text_of_delimiters": b"FCS3.1    " + b"      58    4157" + b"       0" * 4 + b"/" * 4100,
    }
    return {name: Bomb(data) for name, data in found.items()}


def not_files() -> dict[str, Bomb]:
    """Return what opens for ever, is no file, or is larger than it looks."""
    return {
        "fifo": Bomb(place=_fifo, codes=("file.not_regular",)),
        "dev_zero": Bomb(place=lambda _: Path("/dev/zero"), codes=("file.not_regular",)),
        "link_to_dev_zero": Bomb(place=lambda folder: _link(folder, "/dev/zero"), codes=("file.not_regular",)),
        "directory": Bomb(place=_folder, codes=("file.not_regular",)),
        "dangling_symlink": Bomb(place=lambda folder: _link(folder, "nowhere"), codes=("file.missing",)),
        "symlink_to_itself": Bomb(place=lambda folder: _link(folder, "link.fcs"), codes=("file.",)),
        "missing": Bomb(place=lambda folder: folder / "missing.fcs", codes=("file.missing",)),
        "name_too_long": Bomb(place=lambda folder: folder / ("x" * 5000), codes=("file.",)),
        "name_with_nul": Bomb(place=lambda folder: folder / "a\0b.fcs", codes=("file.",)),
        "sparse_200_gigabytes": Bomb(place=_sparse, codes=("fcs.too_big",)),
    }


def _lie(change: dict[str, str], **more: Offsets) -> Bomb:
    return Bomb(integers(change=change, **more))


def _keywords(number: int) -> Spec:
    return integers(extra=tuple((f"K{n}", "v") for n in range(number)))


def _comment(value: str) -> Spec:
    return integers(extra=(("COMMENT", value),))


def _linked(number: int) -> bytes:
    spec = integers(columns=integers().columns[:1], version="3.0", change={"$NEXTDATA": "00000000"})
    size = make(spec).size
    return make(replace(spec, change={"$NEXTDATA": f"{size:08d}"})).data * number


def _fifo(folder: Path) -> Path:
    path = folder / "pipe.fcs"
    os.mkfifo(path)
    return path


def _folder(folder: Path) -> Path:
    path = folder / "folder.fcs"
    path.mkdir()
    return path


def _link(folder: Path, target: str) -> Path:
    path = folder / "link.fcs"
    path.symlink_to(target)
    return path


def _sparse(folder: Path) -> Path:
    """Put a file of 200 GB whose sizes all agree; the disk holds one block of it."""
    n_events = 200 * 10**9 // 12
    made = make(
        floats(
            change={"$TOT": str(n_events)},
            header_data=lambda *_: (0, 0),
            text_data=lambda begin, _: (begin, begin + 12 * n_events - 1),
        )
    )
    path = made.write(folder / "sparse.fcs")
    os.truncate(path, made.begin + 12 * n_events)
    return path
