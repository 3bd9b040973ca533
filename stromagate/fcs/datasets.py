"""The data sets of one file: the chain of ``$NEXTDATA``, and which one is meant."""

from __future__ import annotations

from dataclasses import dataclass, replace

from stromagate.errors import InputError
from stromagate.fcs.header import Header, parse_header
from stromagate.fcs.limits import HEADER_BYTES, MAX_DATASETS
from stromagate.fcs.numbers import BLANK, count, shortened
from stromagate.fcs.source import ByteSource
from stromagate.fcs.text import Text, parse_text
from stromagate.model.sample import Policy, Repair


@dataclass(frozen=True, slots=True)
class DataSet:
    """One data set: where it begins in the file, how many bytes it may use, its HEADER and its primary TEXT."""

    index: int
    base: int
    room: int
    header: Header
    text: Text

    @property
    def said(self) -> str:
        """One line that tells it from its neighbours."""
        keywords = self.text.keywords
        tot, par = keywords.get("$TOT", "?").strip(BLANK), keywords.get("$PAR", "?").strip(BLANK)
        return f"{self.index}: FCS {self.header.version}, {shortened(tot, 20)} events, {shortened(par, 20)} channels"


def choose(source: ByteSource, wanted: int | None, policy: Policy) -> tuple[DataSet, int, tuple[Repair, ...]]:
    """Return the data set to read, how many there are, and a repair where the choice was ours.

    Parameters
    ----------
    source : ByteSource
        Open file.
    wanted : int or None
        Index the user asked for.
    policy : {"strict", "repair", "salvage"}
        Whether the better half of a list-mode pair may be chosen.

    Raises
    ------
    InputError
        ``fcs.datasets`` where there are several and none was asked for, or the chain is broken; ``fcs.dataset`` where
        there is no such one.
    """
    sets, broken = _walk(source)
    if wanted is not None:
        if not 0 <= wanted < len(sets):
            if broken and wanted >= len(sets):
                raise broken
            raise InputError(
                "fcs.dataset",
                f"there is no data set {wanted}",
                hint=f"the file holds {_listed(sets)}",
            )
        return sets[wanted], len(sets), ()
    if broken:
        raise broken
    if len(sets) == 1:
        return sets[0], 1, ()
    if policy != "strict" and _is_list_mode_pair(sets):
        why = "the first is the 10-bit copy of the same events in FCS 2.0"
        return sets[1], 2, (Repair("dataset.chosen", "2 data sets of the same events", "data set 1", why),)
    raise InputError(
        "fcs.datasets", f"the file holds {len(sets)} data sets", hint=f"name one by --dataset: {_listed(sets)}"
    )


def _walk(source: ByteSource) -> tuple[list[DataSet], InputError | None]:
    """Follow ``$NEXTDATA`` to its end, or to where it breaks."""
    sets: list[DataSet] = []
    base = 0
    while len(sets) < MAX_DATASETS:
        try:
            found = _at(source, base, len(sets))
        except InputError as error:
            if not sets:
                raise
            return sets, _broken(f"data set {len(sets)} at byte {base:,} cannot be read: {error.message}")
        sets.append(found)
        step, problem = _next(found, source.size - base)
        if problem:
            # The first set can be read without its successors, if that is what was asked for.
            return sets, _broken(problem)
        if step == 0:
            return sets, None
        sets[-1] = replace(found, room=step)
        base += step
    return sets, _broken(f"the file holds more than {MAX_DATASETS:,} data sets")


def _at(source: ByteSource, base: int, index: int) -> DataSet:
    room = source.size - base
    header = parse_header(source.at(base, min(HEADER_BYTES, room)), room)
    begin, end = header.text
    return DataSet(index, base, room, header, parse_text(source.at(base + begin, end - begin + 1), header.version))


def _next(found: DataSet, room: int) -> tuple[int, str]:
    """Return how far the next data set is (0: there is none), and what is wrong with that."""
    said = found.text.keywords.get("$NEXTDATA", "0").strip(BLANK)
    step = count(said) if said else 0
    if step == 0:
        return 0, ""
    if step is None or step < HEADER_BYTES or step + HEADER_BYTES > room:
        return 0, f"$NEXTDATA {shortened(said)!r} of data set {found.index} leads to no further data set"
    return step, ""


def _broken(message: str) -> InputError:
    return InputError(
        "fcs.datasets", message, hint="export the file again, or name one of the data sets before it by --dataset"
    )


def _is_list_mode_pair(sets: list[DataSet]) -> bool:
    """Beckman LMD: FCS 2.0 with 10-bit values, then FCS 3.0 with 20-bit values of the same events."""
    totals = [count(one.text.keywords.get("$TOT")) for one in sets]
    versions = [one.header.version for one in sets]
    return len(sets) == 2 and versions == ["2.0", "3.0"] and totals[0] is not None and totals[0] == totals[1]


def _listed(sets: list[DataSet]) -> str:
    more = f"; and {len(sets) - 8} more" if len(sets) > 8 else ""
    return "; ".join(one.said for one in sets[:8]) + more
