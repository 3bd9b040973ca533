"""Whether populations are as pure, or as rare, as the template's sources ask for (such as ISCT's 95 and 2 per cent)."""

from __future__ import annotations

from stromagate.model.result import Finding, FindingStatus
from stromagate.model.template import Expectation
from stromagate.qc.check import BACKGROUND, Check, Evidence
from stromagate.qc.targets import among
from stromagate.qc.verdict import not_applicable, said
from stromagate.qc.wording import percent


def look(evidence: Evidence) -> list[Finding]:
    """Answer every expectation; one that the events cannot decide is neither met nor missed."""
    asked = evidence.template.expectations
    if not asked:
        return [not_applicable(CHECK, "The template asks for no share.")]
    return [_answer(evidence, each) for each in asked]


def _answer(evidence: Evidence, asked: Expectation) -> Finding:
    name, called = asked.population, evidence.called(asked.population)
    wanted = f"{'at most' if asked.at_least is None else 'at least'} {percent(100 * asked.limit)} ({asked.source})"
    rows, whole = evidence.members.get(name), evidence.members.get(asked.denominator)
    if rows is None or whole is None:
        return not_applicable(CHECK, f"{called} was not found on this tube, so {wanted} is not answered.")
    inside = rows[among(rows, whole)]
    if not whole.size:
        return not_applicable(CHECK, f"{evidence.called(asked.denominator)} has no events to take a share of.", name)
    share, low, high = _share(int(inside.size), int(whole.size))
    met, sure = asked.met_by(share), asked.met_by(low) == asked.met_by(high)
    status: FindingStatus = ("pass" if met else "fail") if sure else "warn"
    verdict = ("met" if met else "not met") if sure else "so many events do not decide it"
    if status == "pass" and evidence.tree.node(name).state == "fallback":
        status, verdict = "warn", "met, by a boundary that is not the template's first choice"
    sentence = (
        f"{called} is {percent(100 * share)} of {evidence.called(asked.denominator)} "
        f"({inside.size:,} of {whole.size:,}; 95 % interval {percent(100 * low)} to {percent(100 * high)}), "
        f"asked for is {wanted}: {verdict}."
    )
    finding = said(CHECK, status, sentence, remedy=_REMEDY[status], population=name, measured=100 * share)
    return finding.model_copy(update={"limit": 100 * asked.limit})


def _share(count: int, total: int) -> tuple[float, float, float]:
    """Return a share and its exact (Clopper-Pearson) 95 % interval."""
    from scipy.special import betaincinv

    low = 0.0 if count == 0 else float(betaincinv(count, total - count + 1, 0.025))
    high = 1.0 if count == total else float(betaincinv(count + 1, total - count, 0.975))
    return count / total, low, high


_REMEDY: dict[FindingStatus, str] = {
    "pass": "",
    "warn": "Look at the boundary of the marker; stain its control, or acquire more events.",
    "fail": "Look at the boundary of the marker; if it is right, the preparation is not what the definition asks for.",
}

CHECK = Check(
    code="Q45",
    stage="result",
    title="shares that the template asks for",
    run=look,
    not_of_controls=BACKGROUND,
    unit="%",
)
