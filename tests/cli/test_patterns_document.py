"""``docs/patterns.md``: its commands run, its lines are the program's, and no number in it stands in no line.

The two runs of its example are made by hand, so that whoever reads it can reckon with a pencil.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from scipy.stats import norm
from typer.testing import CliRunner

from stromagate.cli.app import app
from stromagate.model.pattern import MovedGate
from stromagate.model.result import Finding, SampleResult
from tests.cli.test_low_event_tube import BLOCK, NUMBER, _plain, _tidy
from tests.pattern.runs import donor, write_run

DOCUMENT = Path(__file__).parents[2] / "docs" / "patterns.md"
CALLED = {
    "msc": "Mesenchymal stromal cells", "progenitors": "CD146+ progenitors", "nucleated": "Nucleated cells",
    "viable": "Viable cells", "stroma": "CD45-low stroma",
}  # fmt: skip
N_CONTROLS, SPREAD = 44, 0.15


def marrow(name: str, p: int, q: int, *, viable: int = 4_400_000, size: float = 1.0, **changes: Any) -> SampleResult:
    """Return a marrow of four million nucleated cells, or of a part of them, whose CD146 cut may move a little."""
    totals = {"nucleated": round(4_000_000 * size), "viable": round(viable * size), "stroma": round(40_000 * size)}
    labels = {"group": "AML", "age": "61", **changes.pop("labels", {})}
    moved = tuple(
        MovedGate(
            gate="progenitors", axis="CD146", shift_frac=sign * 0.1, distance=0.4,
            counts={"msc": p + q, "progenitors": p - sign * round(0.05 * p), **totals},
        )
        for sign in (-1, 1)
    )  # fmt: skip
    shown = {"labels_of_populations": CALLED, "moved_gates": moved, **changes}
    return donor(name, p, q, labels=labels, totals=totals, **shown)


def controls() -> list[SampleResult]:
    """Return 44 controls at the middle quantiles of a lognormal distribution, P about 20 and Q about 40 per million."""
    found = []
    for number in range(N_CONTROLS):
        steps = (norm.ppf((each + 0.5) / N_CONTROLS) for each in (number, 17 * number % N_CONTROLS))
        p, q = (round(middle * 10 ** (SPREAD * step)) for middle, step in zip((80, 160), steps, strict=True))
        found.append(marrow(f"c{number + 1:02d}", p, q, labels={"group": "control"}))
    return found


def others() -> list[SampleResult]:
    """Return what else is in the run of the controls, and is no control of its own."""
    burst = Finding(
        code="Q02", check="time", status="fail", sentence="The flow stood still.", remedy="Record it again."
    )
    control = {"group": "control"}
    return [
        marrow("c07_second", 80, 160, labels={**control, "patient_id": "of c07"}),
        marrow("c45", 80, 160, labels=control, findings=(burst,)),
        marrow("c01_fmo", 0, 0, labels={**control, "role": "fmo:CD146", "patient_id": "of c01"}),
        marrow("c46_digest", 800, 3000, labels={"group": "digest", "specimen": "digest"}),
    ]


def patients() -> list[SampleResult]:
    """Return a marrow for each answer."""
    return [
        marrow("m1", 240, 160),
        marrow("m2", 8, 20),
        marrow("m3", 100, 180),
        marrow("m4", 145, 160),
        marrow("m5", 240, 160, viable=20_000_000),
        marrow("m6", 2, 4, size=0.05),
        marrow("m7", 800, 3000, labels={"specimen": "digest"}),
    ]


@pytest.fixture(scope="module")
def told() -> str:
    return DOCUMENT.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def results(told: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Run every command of the document; return what they print, and the reports and the table, as text."""
    folder = tmp_path_factory.mktemp("patterns")
    write_run(folder / "runs" / "controls", [*controls(), *others()])
    write_run(folder / "runs" / "patients", patients())
    printed = []
    for line in re.findall(r"^stromagate (.*)$", told, flags=re.MULTILINE):
        words = [str(folder / word) if re.match(r"runs/|controls\.json", word) else word for word in shlex.split(line)]
        result = CliRunner().invoke(app, words)
        assert result.exit_code == 0, result.output
        printed.append(result.stdout + result.stderr)
    pages = {
        path.parent.name: _tidy(_plain(path.read_text(encoding="utf-8")))
        for path in (folder / "runs" / "patients" / "samples").glob("*/report.html")
    }
    return {"printed": _tidy("\n".join(printed)), **pages}


def lines(told: str) -> list[str]:
    return [line for kind, block in BLOCK.findall(told) if kind == "text" for line in block.splitlines() if line]


def test_every_quoted_line_is_what_the_program_writes(told: str, results: dict[str, str]) -> None:
    quoted = lines(told)
    assert len(quoted) > 15
    strange = []
    for line in quoted:
        tube, named, rest = line.partition(": ")
        source = [results[tube]] if named and tube in results else list(results.values())
        sought = _tidy(rest if named and tube in results else line).rstrip("|")
        strange += [] if any(sought in text for text in source) else [line]
    assert strange == []


def test_every_number_in_the_text_stands_in_a_quoted_line_or_a_command(told: str) -> None:
    example = told.split("## A worked example")[1].split("\n## ", maxsplit=1)[0]
    quoted = set(NUMBER.findall(" ".join(block for _, block in BLOCK.findall(example)).replace("−", "")))
    prose = BLOCK.sub("", example).replace("−", "")
    made = {str(N_CONTROLS), "4,000,000", "20", "40", f"{10**SPREAD:.1f}"}  # what the controls are made of
    assert set(NUMBER.findall(prose)) - quoted - made == set()


def test_the_example_has_an_answer_of_every_kind(results: dict[str, str]) -> None:
    answers = (
        "progenitor-high", "mesenchymal-low", "not assigned", "indeterminate (calibration",
        "indeterminate (method-dependent)", "not assessable", "not assigned",
    )  # fmt: skip
    for number, answer in enumerate(answers, 1):
        assert f"Pattern: {answer}" in results[f"m{number}"]


def test_sizes_and_limits_in_the_text_are_those_of_the_program(told: str) -> None:
    from stromagate.model.calibration import MIN_PERCENTILES, MIN_RANGE_90, MIN_RANGE_95, STRATA
    from stromagate.pattern.probabilities import ASSIGNED_FROM
    from stromagate.pattern.reference import MIN_TUBES

    for row in (
        f"| {MIN_TUBES} to {MIN_PERCENTILES - 1} |",
        f"| {MIN_PERCENTILES} to {MIN_RANGE_90 - 1} |",
        f"| {MIN_RANGE_90} to {MIN_RANGE_95 - 1} |",
        f"| {MIN_RANGE_95} and more |",
    ):
        assert row in told
    assert f"from a probability of {ASSIGNED_FROM:.2f} on" in told
    for column in STRATA:
        assert f"`{column}`" in told


def test_of_a_course_only_fitted_cut_points_are_spoken(told: str) -> None:
    """Outcome is a word of the levels L3 and L4, and of the section on what does not follow."""
    course = re.compile(r"relapse|remission|outcome|survival|prognos|\brisk|predict", re.IGNORECASE)
    spoken = [line for line in told.split("\n") if course.search(line)]
    assert spoken
    assert all("L3" in line or "L4" in line or "does not" in line or "nothing" in line for line in spoken), spoken
