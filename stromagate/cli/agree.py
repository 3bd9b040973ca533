"""``agree``: how two readers of the same tubes agree, each with a run of their own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stromagate.cli.console import AsJson, Debug, emit, say, speaking

if TYPE_CHECKING:
    from stromagate.pipeline.review.readers import NumberAgreement, ReaderAgreement


def agree(
    first: Annotated[Path, typer.Argument(help="Folder of the run of one reader.", show_default=False)],
    second: Annotated[Path, typer.Argument(help="Folder of the run of the other.", show_default=False)],
    confidence: Annotated[float, typer.Option(help="Level of the intervals.")] = 0.95,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Compare two readers tube by tube: ICC, limits of agreement, kappa of patterns.

    Each has a copy of the run, reviewed with --blind and made again with the
    edits. Tubes are paired by the content of their files.
    """
    with speaking(as_json=as_json, debug=debug):
        from stromagate.pipeline.review.readers import compare_readers

        found = compare_readers(first, second, confidence=confidence)
        for where, names in ((first, found.only_first), (second, found.only_second)):
            if names:
                say(f"in {where} alone: {', '.join(names)}")
        emit(found.as_json(), lambda: _text(found), as_json=as_json)


def _text(found: ReaderAgreement) -> str:
    who = [", ".join(names) or "nobody moved anything" for names in found.readers]
    head = f"{found.n_tubes} tubes; moved: {found.n_moved[0]} by {who[0]}, {found.n_moved[1]} by {who[1]}"
    kappa = found.pattern
    if kappa is None or kappa.value is None:
        patterns = f"patterns: {found.why}"
    else:
        patterns = f"patterns: kappa {kappa.value:.2f} ({kappa.low:.2f} to {kappa.high:.2f}), {kappa.n} tubes"
    return "\n".join([head, *map(_line, found.numbers), patterns])


def _line(each: NumberAgreement) -> str:
    of = f"{each.population} per million {each.denominator}"
    if each.icc is None or each.limits is None:
        return f"{of}: {each.why}"
    icc = f"ICC {each.icc.value:.3f} ({each.icc.low:.3f} to {each.icc.high:.3f})"
    ends = f"{each.limits.lower:.3g} to {each.limits.upper:.3g}"
    limits = f"second over first {each.limits.bias:.3g} times, 95 % limits of agreement {ends}"
    left_out = f", {each.limits.n_left_out} without a logarithm" if each.limits.n_left_out else ""
    return f"{of}: {icc}; {limits} ({each.limits.n} tubes{left_out})"
