"""From the keywords to the place of DATA: the question, and the widths that only its answer confirms."""

from __future__ import annotations

from collections.abc import Mapping

from stromagate.errors import InputError
from stromagate.fcs.evidence import Ground
from stromagate.fcs.header import stated
from stromagate.fcs.layout import Layout
from stromagate.fcs.numbers import count, shortened
from stromagate.fcs.repairs import Departures
from stromagate.fcs.segments import Question, Span, locate


def find_data(keywords: Mapping[str, str], ground: Ground, notes: Departures) -> Span:
    """Return where the events are, by the keywords and by what stands there.

    Raises
    ------
    InputError
        See ``segments.locate``; ``fcs.keyword.bad`` for ``$TOT``; ``fcs.width`` where ``$PnB`` does not say what is
        stored and the length of DATA does not either.
    """
    layout, chosen, total = ground.layout, ground.chosen, count(keywords.get("$TOT"))
    if total is None and "$TOT" in keywords and notes.policy != "salvage":
        raise InputError(
            "fcs.keyword.bad",
            f"$TOT is {shortened(keywords['$TOT'])!r}, not a number of events",
            hint="export it again",
        )
    question = Question(
        version=chosen.header.version,
        total=total,
        stride=layout.stride,
        room=chosen.room,
        text=chosen.header.text,
        salvage=notes.policy == "salvage" and not layout.widened,
    )
    in_text = stated("TEXT", keywords.get("$BEGINDATA", ""), keywords.get("$ENDDATA", ""))
    try:
        span = locate(question, (chosen.header.data, in_text), notes, ground)
    except InputError as error:
        if layout.widened and not error.code.startswith("strict."):
            raise _unconfirmed(layout, error) from error
        raise
    if total is None and "$TOT" in keywords and notes.verdict != "salvaged":
        said = shortened(keywords["$TOT"], 30)
        notes.add("salvage.tot", f"$TOT {said}", f"{span.n_events:,} events by DATA's length", "$TOT is no number")
    if layout.widened:
        if total is None:
            raise _unconfirmed(layout, None)
        stored = ", ".join(str(8 * column.width) for column in layout.columns[:4])
        notes.add(
            "pnb.storage",
            "; ".join(layout.widened[:4]),
            f"read as {stored} ... bits",
            "$PnB does not say what is stored",
        )
    return span


def _unconfirmed(layout: Layout, error: InputError | None) -> InputError:
    return InputError(
        "fcs.width",
        f"{layout.widened[0]} cannot be what is stored, and the length of DATA confirms no whole bytes either"
        + (f" ({error.message})" if error else ""),
        hint="bit-packed data are not read: export the file again with 16 or 32 bits a value",
    )
