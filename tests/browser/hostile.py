"""Text that wants to run, to load, to lead away or to deceive, and results that carry it in every place they can."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from stromagate.model.gates import Axis, GateNode, GateTree, Interval
from stromagate.model.panel import Binding, Panel
from stromagate.model.pattern import PatternCall
from stromagate.model.result import Finding, RunIndex, SampleEntry, SampleResult, Statistic
from stromagate.model.sample import Repair
from stromagate.model.template import SourceNote
from tests.report.pages import make_run, side, view
from tests.results import LOGICLE, make_result

PAYLOADS = (
    "<script>window.__xss=1</script>",
    "</script><script>window.__xss=1</script>",
    "</style><script>window.__xss=1</script>",
    "</title><svg onload=window.__xss=1>",
    "<img src=x onerror=window.__xss=1>",
    "<img src=https://evil.test/a.png>",
    '"><img src=x onerror=window.__xss=1>',
    "'><img src=x onerror=window.__xss=1>",
    '" onmouseover="window.__xss=1" x="',
    '" autofocus onfocus="window.__xss=1" tabindex="0',
    "<svg/onload=window.__xss=1>",
    "<iframe srcdoc='<script>parent.__xss=1</script>'></iframe>",
    "<a href='javascript:window.__xss=1'>Sign here</a>",
    "javascript:window.__xss=1",
    '<a href="https://evil.test/">Click to sign off</a>',
    "<b>bold</b><sup>up</sup><br>line",
    "&lt;b&gt;once escaped&lt;/b&gt;",
    "&amp;lt;img src=x onerror=window.__xss=1&amp;gt;",
    "&#60;script&#62;window.__xss=1&#60;/script&#62;",
    "<!--<script>window.__xss=1//-->",
    "]]><script>window.__xss=1</script>",
    "{{ 7 * 7 }}{% raw %}",
    "${window.__xss=1}`",
    "\\u003cscript\\u003ewindow.__xss=1\\u003c/script\\u003e",
    "<math><mi//xlink:href='data:x,<script>window.__xss=1</script>'>",
    "<style>@import 'https://evil.test/x.css';*{display:none}</style>",
    '<meta http-equiv="refresh" content="0;url=https://evil.test/">',
    "<base href=https://evil.test/><form action=https://evil.test/><button>ok</button>",
    "$\\href{javascript:window.__xss=1}{x}$",
    "%3Cscript%3Ewindow.__xss=1%3C/script%3E =1+1|cmd",
)


def hostile_result() -> SampleResult:
    """Return a result that has all payloads in every place that holds many values."""
    n = len(PAYLOADS)
    names = [f"{text} p{i}" for i, text in enumerate(PAYLOADS)]
    axes = [f"{text} a{i}" for i, text in enumerate(PAYLOADS)]
    nodes = [
        GateNode(name, "all", text, Interval(axis, 0.5, None), "edited", text, spread=0.01, source=text, edited_by=text)
        for name, axis, text in zip(names, axes, PAYLOADS, strict=True)
    ]
    views = [
        view(name, Interval(axis, 0.5, None), x=side(axis, text), y=side(f"{axis} y", text), seed=i)
        for i, (name, axis, text) in enumerate(zip(names, axes, PAYLOADS, strict=True))
    ]
    rows = [
        row
        for name, text in zip(names, PAYLOADS, strict=True)
        for row in (
            Statistic(population=name, parent="all", statistic="count", value=60, unit=text, state=text),
            Statistic(population=name, parent="all", statistic="fraction", value=0.1, unit="", denominator="all"),
            Statistic(population=name, parent="all", statistic="per_million", value=1e5, unit="", denominator=names[0]),
            Statistic(population=name, parent="all", statistic="median", value=9.0, unit="", marker=text, n=60),
        )
    ]
    bindings = tuple(Binding(axis, i, PAYLOADS[i], PAYLOADS[i], "$PnS") for i, axis in enumerate(axes))
    base = make_result()
    findings = [
        Finding(code=text, check=text, status="fail", sentence=text, measured=1.0, limit=2.0, unit=text, remedy=text)
        for text in PAYLOADS
    ]
    template = base.template.model_copy(
        update={
            "sentences": PAYLOADS,
            "sources": tuple(SourceNote(doi=text, note=text) for text in PAYLOADS)
            + tuple(SourceNote(url=text) for text in PAYLOADS),
        }
    )
    return make_result(
        labels={f"{text} column": text for text in PAYLOADS},
        instrument={f"{text} keyword": text for text in PAYLOADS},
        repairs=tuple(Repair(text, text, text, text) for text in PAYLOADS),
        tree=GateTree(tuple(nodes), {axis: Axis(PAYLOADS[i % n], LOGICLE, True) for i, axis in enumerate(axes)}),
        panel=Panel(bindings, absent=PAYLOADS),
        statistics=tuple(rows),
        findings=tuple(findings),
        views=tuple(views),
        template=template,
        denominators=(names[0],),
        indices=dict(zip(PAYLOADS, names, strict=True)),
        labels_of_populations=dict(zip(names, PAYLOADS, strict=True)),
    )


def hostile_single(text: str) -> SampleResult:
    """Return a result that has one payload in every place that holds one value."""
    base = make_result()
    template: dict[str, Any] = dict.fromkeys(("name", "version", "status", "title", "sha256"), text)
    return make_result(
        sample_id=text,
        source=replace(base.source, path=text, sha256=text),
        labels={"patient_id": text, "role": text, "preparation": text, "scenario": text},
        instrument={"$CYT": text, "STROMAGATE_SIMULATED": text, "STROMAGATE_PREPARATION": text},
        template=base.template.model_copy(update=template),
        pattern=PatternCall(pattern=text, reason=text),
        record=base.record.model_copy(update={"libraries": {text: text}, "conventions": {text: text}}),
    )


def hostile_run() -> tuple[RunIndex, list[SampleResult]]:
    """Return a run of one tube a payload, and of one failure a payload."""
    results = [hostile_single(text) for text in PAYLOADS]
    failures = tuple(
        SampleEntry(
            sample_id=f"{text} failed",
            file=text,
            status="failed",
            error={"code": text, "message": text, "where": text, "hint": text},
        )
        for text in PAYLOADS
    )
    run = make_run(results)
    return run.model_copy(update={"samples": run.samples + failures}), results
