"""Where DATA really is: HEADER's and TEXT's claims weighed by arithmetic, then by the gap, then by the values there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, Protocol

from stromagate.errors import InputError
from stromagate.fcs.header import Stated
from stromagate.fcs.limits import HEADER_BYTES, LAST_HEADER_BYTE
from stromagate.fcs.repairs import Departures

Fit = Literal["absent", "exact", "plus1", "bad"]


class Bytes(Protocol):
    """What can be asked of the bytes themselves."""

    def blank_before(self, begin: int) -> bool:
        """Say whether only blanks stand between ``begin`` and the segment before it."""

    def settled(self, begin: int, n_bytes: int) -> bool:
        """Say whether a place that is named once is believable."""

    def judge(self, first: int, second: int, n_events: int) -> tuple[int | None, str]:
        """Return which of two places holds sensible values (None: neither stands out), and the figures."""


@dataclass(frozen=True, slots=True)
class Question:
    """What the keywords demand of DATA: ``total`` events of ``stride`` bytes within ``room`` bytes, outside TEXT."""

    version: str
    total: int | None
    stride: int
    room: int
    text: tuple[int, int]
    salvage: bool = False

    @property
    def need(self) -> int:
        """Bytes of all events."""
        return (self.total or 0) * self.stride


@dataclass(frozen=True, slots=True)
class Span:
    """The answer: first byte of DATA within its data set, and how many whole events stand there."""

    begin: int
    n_events: int
    exact: bool = True


@dataclass(frozen=True, slots=True)
class _Claim:
    stated: Stated
    fit: Fit
    begin: int = 0
    length: int = 0
    cut: bool = False

    @property
    def good(self) -> bool:
        return self.fit in {"exact", "plus1"}


def locate(
    question: Question,
    stated: tuple[Stated, Stated],
    departures: Departures,
    ground: Bytes,
) -> Span:
    """Decide where DATA is.

    Parameters
    ----------
    question : Question
        What the keywords demand.
    stated : pair of Stated
        What HEADER and ``$BEGINDATA``/``$ENDDATA`` say, relative to the data set.
    departures : Departures
        Collects repairs; its policy decides whether they are allowed.
    ground : Bytes
        Answers for the bytes where arithmetic does not decide.

    Raises
    ------
    InputError
        ``fcs.offsets``, ``fcs.offsets.ambiguous``, ``fcs.tot``, ``fcs.truncated``, with both pairs in the message.
    """
    question = _with_total(question, *stated)
    claims = (_claim(stated[0], question), _claim(stated[1], question))
    if not any(claim.good for claim in claims):
        return _empty_or_refuse(question, claims, departures, ground)
    h, t = claims
    if h.good and t.good and h.begin != t.begin and question.need:
        h, t = _tell_apart(question, h, t, ground)
    elif (
        question.need
        and _single_voice(question, h, t)
        and not ground.settled((h if h.good else t).begin, question.need)
    ):
        raise InputError(
            "fcs.offsets.ambiguous",
            f"DATA is said to begin behind bytes that are not blank, and only one place says so: "
            f"{_claims_text(question, h, t)}",
            hint="export the file again: reading the wrong bytes would give plausible wrong numbers",
        )
    chosen = h if h.good else t
    _note_other(question, h, t, departures)
    if "plus1" in {h.fit, t.fit}:
        _note_long(question, chosen, departures)
    return Span(chosen.begin, question.total or 0, h.fit != "plus1" and t.fit != "plus1")


def _with_total(question: Question, header: Stated, text: Stated) -> Question:
    """FCS 2.0 may leave ``$TOT`` out: DATA's length tells, if it is a whole number of events."""
    if question.total is not None:
        return question
    if question.version != "2.0":
        if not question.salvage:
            raise InputError("fcs.keyword.missing", "the required keyword $TOT is missing", hint=_HINT_SALVAGE)
        return question
    pair = header.pair if not header.silent else text.pair
    if pair is None and header.silent and text.silent:
        return replace(question, total=0)
    length = pair[1] - pair[0] + 1 if pair else -1
    if length < 0 or length % question.stride > 1:
        if question.salvage:
            return question
        raise InputError(
            "fcs.offsets",
            f"DATA ({header}; {text}) is no whole number of events of {question.stride} bytes, and there is no $TOT",
            hint=_HINT_SALVAGE,
        )
    return replace(question, total=length // question.stride)


def _claim(stated: Stated, question: Question) -> _Claim:
    if stated.silent:
        return _Claim(stated, "absent")
    if stated.pair is None or question.total is None:
        begin, length = (stated.pair[0], stated.pair[1] - stated.pair[0] + 1) if stated.pair else (0, -1)
        return _Claim(stated, "bad", begin, length)
    begin, length = stated.pair[0], stated.pair[1] - stated.pair[0] + 1
    need = question.need
    overlaps = need > 0 and begin <= question.text[1] and begin + need > question.text[0]
    fits = length in {need, need + 1}
    cut = fits and begin + need > question.room
    if begin < HEADER_BYTES or overlaps or not fits or cut:
        return _Claim(stated, "bad", begin, length, cut)
    return _Claim(stated, "exact" if length == need else "plus1", begin, length)


def _tell_apart(question: Question, h: _Claim, t: _Claim, ground: Bytes) -> tuple[_Claim, _Claim]:
    """Two places fit by length: the standard fills unused space with blanks; else the values must speak."""
    clear = (ground.blank_before(h.begin), ground.blank_before(t.begin))
    if clear[0] != clear[1]:
        return (h, replace(t, fit="bad")) if clear[0] else (replace(h, fit="bad"), t)
    winner, figures = ground.judge(h.begin, t.begin, question.total or 0)
    if winner is None:
        raise InputError(
            "fcs.offsets.ambiguous",
            f"DATA may begin at byte {h.begin} or {t.begin} ({_claims_text(question, h, t)}); {figures}",
            hint="export the file again: reading the wrong bytes would give plausible wrong numbers",
        )
    return (h, replace(t, fit="bad")) if winner == 0 else (replace(h, fit="bad"), t)


def _single_voice(question: Question, h: _Claim, t: _Claim) -> bool:
    """Say whether HEADER and TEXT should agree on the begin of DATA and only one of them names it."""
    # In FCS 2.0 HEADER speaks alone by right.
    if h.good and (t.good or question.version == "2.0"):
        return False
    if t.good and h.fit == "absent":
        return question.version == "2.0" or t.begin + question.need - 1 <= LAST_HEADER_BYTE
    if "absent" in {h.fit, t.fit}:
        return True
    return h.begin != t.begin


def _note_other(question: Question, h: _Claim, t: _Claim, departures: Departures) -> None:
    """Note what is wrong with the claim that was not followed."""
    if h.good and t.good:
        return
    if h.good:
        if t.fit == "bad":
            departures.add(
                "offsets.text.wrong", str(t.stated), str(h.stated), "$BEGINDATA and $ENDDATA do not point to the events"
            )
        elif question.version != "2.0":
            departures.add(
                "text.offsets.missing", str(t.stated), str(h.stated), "$BEGINDATA and $ENDDATA do not say where DATA is"
            )
    elif h.fit == "absent":
        if question.version == "2.0" or t.begin + question.need - 1 <= LAST_HEADER_BYTE:
            departures.add("header.zero", str(h.stated), str(t.stated), "HEADER does not say where DATA is")
    elif h.stated.end.strip() == str(LAST_HEADER_BYTE):
        departures.add("header.overflow", str(h.stated), str(t.stated), "HEADER's eight digits overflowed")
    else:
        departures.add("offsets.header.wrong", str(h.stated), str(t.stated), "HEADER does not point to the events")


def _note_long(question: Question, chosen: _Claim, departures: Departures) -> None:
    if question.need == 0:
        departures.add("zero.offsets", str(chosen.stated), "no events", "DATA is said to hold one byte and no event")
        return
    departures.add(
        "end.plus1",
        str(chosen.stated),
        f"{question.total:,} events of {question.stride} bytes",
        "the end of DATA is given as one byte too far",
    )


def _empty_or_refuse(question: Question, claims: tuple[_Claim, _Claim], departures: Departures, ground: Bytes) -> Span:
    h, t = claims
    if question.total == 0 and h.fit == "absent" and t.fit == "absent":
        departures.mention(
            "zero.offsets", f"{h.stated}; {t.stated}", "no events", "no event, and DATA is said to be nowhere"
        )
        return Span(question.text[1] + 1, 0)
    if question.salvage:
        span = _salvage(question, claims, departures, ground)
        if span is not None:
            return span
    raise _refusal(question, h, t)


def _salvage(question: Question, claims: tuple[_Claim, _Claim], departures: Departures, ground: Bytes) -> Span | None:
    """Whole events from a begin that both claims share, or that alone follows its neighbour over blanks."""
    usable = [
        claim
        for claim in claims
        if claim.length > 0 and claim.begin > question.text[1] and claim.begin + question.stride <= question.room
    ]
    if len({claim.begin for claim in usable}) > 1:
        usable = [claim for claim in usable if ground.blank_before(claim.begin)]
    if not usable or len({claim.begin for claim in usable}) > 1:
        return None
    begin, length = usable[0].begin, max(claim.length for claim in usable)
    available = min(length, question.room - begin) // question.stride
    said = "nothing" if question.total is None else f"{question.total:,}"
    if begin + length > question.room + 1:
        n = available if question.total in {None, 0} else min(available, question.total or 0)
        departures.add(
            "salvage.truncated",
            f"$TOT {said}, DATA of {length:,} bytes",
            f"{n:,} whole events read",
            "the file ends before its data do: events are lost",
        )
        return Span(begin, n)
    departures.add(
        "salvage.tot",
        f"$TOT {said}",
        f"{available:,} whole events read",
        "$TOT and the length of DATA disagree",
    )
    return Span(begin, available)


_HINT_SALVAGE = "export the file again; the `salvage` policy reads the whole events there are and says so everywhere"


def _refusal(question: Question, h: _Claim, t: _Claim) -> InputError:
    facts = _claims_text(question, h, t)
    if h.cut or t.cut:
        return InputError("fcs.truncated", f"the file ends before its data do: {facts}", hint=_HINT_SALVAGE)
    lengths = {claim.length for claim in (h, t) if claim.length > 0}
    if lengths and question.total is not None and question.need not in lengths:
        return InputError(
            "fcs.tot", f"$TOT says {question.total:,} events, DATA holds another number: {facts}", hint=_HINT_SALVAGE
        )
    return InputError("fcs.offsets", f"no offsets lead to the events: {facts}", hint="export the file again")


def _claims_text(question: Question, h: _Claim, t: _Claim) -> str:
    return (
        f"{h.stated}, {t.stated}; {question.total if question.total is not None else 'unknown'} events of "
        f"{question.stride} bytes need {question.need:,} bytes, the data set has {question.room:,}"
    )
