"""The gate ladder: from all events down to the rare ones, what each step keeps and how its boundary came about."""

from __future__ import annotations

from typing import Any

from stromagate.model.gates import GateNode
from stromagate.model.result import SampleResult
from stromagate.report.folded import folded, folded_title
from stromagate.report.lookup import STATE_OK, find, label, reason, walk
from stromagate.report.section import Section
from stromagate.report.wording import count_text, marked, percent_text


def _build(result: SampleResult) -> dict[str, Any]:
    apart = folded(result)
    every = [(_row(result, node, depth), node.name in apart) for node, depth in walk(result)]
    unusual = [row for row, _ in every if row["state"] not in {"fitted", "fixed"}]
    return {
        "n_events": count_text(result.n_events),
        "rows": [row for row, is_apart in every if not is_apart],
        "folded": [row for row, is_apart in every if is_apart],
        "folded_title": folded_title(result) if apart else "",
        "n_unusual": len(unusual),
        "left_out": [f"{sentence}." for sentence in result.left_out.values()],
    }


def _row(result: SampleResult, node: GateNode, depth: int) -> dict[str, Any]:
    count = find(result, node.name, "count")
    share = find(result, node.name, "fraction", node.parent)
    kept = share.value if share else None
    return {
        "label": label(result, node.name),
        "depth": depth,
        "events": marked(count_text(count.value if count else None), count),
        "faint": count is not None and count.state != STATE_OK,
        "kept": marked(percent_text(kept), share),
        "bar": round(100 * kept, 2) if kept is not None else None,
        "parent": label(result, node.parent),
        "state": node.state,
        "word": node.state.replace("_", " ") + (f" by {node.edited_by}" if node.edited_by else ""),
        "method": node.method,
        "sentence": reason(result, node),
    }


SECTION = Section(
    title="Gate ladder",
    order=40,
    fragment="ladder.html.j2",
    build=_build,
    summary="Each step keeps a share of the population it is indented under.",
    wide=True,
)
