"""One gate on all tubes: what the page of plots is made of, the most likely wrong first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from stromagate.errors import UsageError, did_you_mean
from stromagate.gating.moved_gates import last_gates
from stromagate.model.edits import SampleEdits
from stromagate.model.result import DensityView, SampleResult
from stromagate.pattern.evidence import MSC
from stromagate.pipeline.review.order import Suspect, gates_to_review, suspects
from stromagate.report.lookup import label, role
from stromagate.report.wording import count_text, percent_text
from stromagate.web.plain import plain_geometry
from stromagate.web.review import Review

ORDERS = ("suspect", "name")


def grid(review: Review, asked: Mapping[str, str]) -> dict[str, Any]:
    """Return one gate on every tube that has it.

    Parameters
    ----------
    review : Review
        The run.
    asked : mapping of str to str
        ``gate``: a population, the last boundary of the MSC by default; ``finding``: tubes with this code alone;
        ``order``: ``suspect`` or ``name``.

    Raises
    ------
    UsageError
        There is no such gate or order.
    """
    seen = review.seen
    results = list(seen.results.values())
    gates = gates_to_review(results)
    gate, order = asked.get("gate") or _first(results, gates), asked.get("order") or ORDERS[0]
    if gate not in gates:
        raise UsageError("review.gate", f"no tube has a gate “{gate}” to show", hint=did_you_mean(gate, gates))
    if order not in ORDERS:
        raise UsageError("review.order", f"tubes cannot be ordered by “{order}”", hint=f"allowed: {', '.join(ORDERS)}")
    document = review.store.edits()
    edits = {each.sample_id: each for each in document.samples} if document else {}
    code = asked.get("finding", "")
    found = [each for each in suspects(results, gate) if not code or code in _codes(seen.results[each.sample_id])]
    if order == "name":
        found.sort(key=lambda each: seen.called(each.sample_id))
    one = results[0]
    return {
        "ok": True,
        "about": _about(review),
        "gate": gate,
        "label": label(one, gate),
        "gates": [{"name": name, "label": label(one, name)} for name in gates],
        "order": order,
        "finding": code,
        "codes": _fired(results),
        "revision": review.store.revision(),
        "samples": [_sample(review, each, gate, edits.get(each.sample_id)) for each in found],
    }


def _about(review: Review) -> str:
    run = review.seen.run
    template = f"{run.template.name} {run.template.version}" if run.template else "no template"
    blinded = " Blinded: tubes have numbers." if review.blind else ""
    return f"{len(review.seen.results)} tubes, gated by {template}. Reader: {review.reader}.{blinded}"


def _first(results: list[SampleResult], gates: list[str]) -> str:
    """Return the gate to begin with: the last boundary that parts MSC from other cells, else that of another index."""
    for result in results:
        nodes = {node.name: node for node in result.tree.nodes}
        for name in (result.indices.get(MSC), *result.indices.values()):
            found = [gate for gate in (last_gates(nodes, name) if name in nodes else ()) if gate in gates]
            if found:
                return found[0]
    return gates[0] if gates else ""


def _sample(review: Review, suspect: Suspect, gate: str, edits: SampleEdits | None) -> dict[str, Any]:
    result = review.seen.results[suspect.sample_id]
    view = next((each for each in result.views if each.population == gate), None)
    edited = next((edit for edit in edits.edits if edit.population == gate), None) if edits else None
    node = result.tree.node(gate)
    fitted = review.store.fitted(suspect.sample_id).boundaries.get(gate)
    signed = review.store.signed(suspect.sample_id)
    counts = _counts(result, gate, view)
    return {
        "sample_id": review.seen.called(suspect.sample_id),
        "patient": "" if review.blind else result.labels.get("patient_id", ""),
        "is_control": role(result.labels).is_control,
        "role": role(result.labels).text,
        "score": round(suspect.score, 3),
        "reasons": list(suspect.reasons),
        "state": node.sentence,
        "view": None if view is None else view.model_dump(mode="json", exclude={"controls"}),
        "gate": plain_geometry(edited.geometry if edited else node.geometry),
        "before": plain_geometry(fitted) if edited or node.state == "edited" else None,
        "counts": counts,
        "spoken": f"{counts}; {'; '.join(suspect.reasons) or 'nothing speaks against it'}",
        "edited": edited is not None,
        "signed": bool(signed),
        "findings": sorted(_codes(result)),
    }


def _counts(result: SampleResult, gate: str, view: DensityView | None) -> str:
    count = result.count(gate)
    if count is None:
        return "no count"
    n = view.n_parent if view else result.count(result.tree.node(gate).parent)
    of = label(result, result.tree.node(gate).parent)
    return f"{count_text(count)} = {percent_text(count / n)} of {of}" if n else count_text(count)


def _codes(result: SampleResult) -> set[str]:
    return {finding.code for finding in result.findings if finding.status in {"warn", "fail"}}


def _fired(results: Iterable[SampleResult]) -> list[dict[str, str]]:
    """Return the checks that warned or failed on any tube."""
    found = {
        finding.code: finding.check.replace("_", " ")
        for result in results
        for finding in result.findings
        if finding.status in {"warn", "fail"}
    }
    return [{"code": code, "check": found[code]} for code in sorted(found)]
