"""Everything needed to make the same numbers again, and every departure from the plain case on the way."""

from __future__ import annotations

from typing import Any

from stromagate.model.panel import Compensation
from stromagate.model.result import SampleResult
from stromagate.report.section import Section
from stromagate.report.wording import bytes_text, number_text

_ANSWERS = {
    "ok": "read as it stands",
    "repaired": "read after the repairs below",
    "salvaged": "read in part: only whole events that could be recovered",
}


_UNSET = {"gain": "as the template says", "dataset": "not chosen"}


def _build(result: SampleResult) -> dict[str, Any]:
    source, record = result.source, result.record
    facts = [
        ("File", source.path),
        ("SHA-256 of the file", source.sha256 or "not computed"),
        ("Size", bytes_text(source.n_bytes)),
        ("Data set", f"{source.dataset + 1} of {source.n_datasets}"),
        ("Reading", f"{result.verdict}: {_ANSWERS[result.verdict]}"),
        ("Template", f"{result.template.name} {result.template.version} ({result.template.status})"),
        ("SHA-256 of the template", result.template.sha256),
        ("SHA-256 of the fitted gates", result.fitted_tree_sha256 or result.tree.digest()),
        *([("SHA-256 of the gates with the edits", result.tree.digest())] if result.edits else []),
        ("Program", f"stromagate {record.stromagate}, Python {record.python}"),
        ("Libraries", ", ".join(f"{name} {version}" for name, version in sorted(record.libraries.items()))),
    ]
    return {
        "facts": facts,
        "repairs": result.repairs,
        "keywords": sorted(result.instrument.items()),
        "conventions": sorted(record.conventions.items()),
        "config": [(name, _setting(name, value)) for name, value in record.config.model_dump(mode="json").items()],
        "panel": [_binding(result, i) for i in range(len(result.panel.bindings))],
        "absent": result.panel.absent,
        "compensation": _compensation(result.tree.compensation),
    }


def _setting(name: str, value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} = {item}" for key, item in sorted(value.items())) or "none"
    return _UNSET.get(name, "none") if value is None else str(value)


def _binding(result: SampleResult, i: int) -> dict[str, Any]:
    binding = result.panel.bindings[i]
    axis = result.tree.axes.get(binding.axis)
    return {
        "axis": binding.axis,
        "pnn": binding.pnn,
        "pns": binding.pns,
        "how": binding.how,
        "compensated": "" if axis is None else "yes" if axis.compensated else "no",
        "scale": "" if axis is None else axis.scale.kind,
    }


def _compensation(compensation: Compensation | None) -> dict[str, Any] | None:
    if compensation is None:
        return None
    rows = [
        (channel, [number_text(100 * value) for value in row])
        for channel, row in zip(compensation.channels, compensation.matrix, strict=True)
    ]
    return {"source": compensation.source, "channels": compensation.channels, "rows": rows}


SECTION = Section(
    title="Provenance",
    order=100,
    fragment="provenance.html.j2",
    build=_build,
    summary="What is needed to make the same numbers again.",
)
