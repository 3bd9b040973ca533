"""Medians over the FMO tube's, end to end: a known shift is found, the control is read once, and refusals are told."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stromagate.fcs import read_fcs, write_fcs
from stromagate.model.result import SampleResult, Statistic
from stromagate.pipeline import analyze, analyze_with_controls, background, bundle, load_template
from stromagate.pipeline.background import background_roles
from stromagate.pipeline.batch import run_batch
from stromagate.pipeline.job import BatchOptions
from stromagate.pipeline.tubes import collect_tubes
from stromagate.report import render_sample
from tests.report.pages import visible
from tests.tubes import NAMES, TEMPLATE, write_template, write_tube

SHIFT = 4.0
READOUTS = """\
readouts:
  - name: cross_talk
    title: Cross-talk
    rows:
      - {kind: mfi_ratio, population: leukocytes, marker: CD146}
      - {kind: mfi_ratio, population: msc, marker: CD146}
    warnings: [{text: It is dim., doi: 10.1155/2019/3864948}]
"""
CUT = "{method: fixed, axis: CD45, high: 0.5}"
FULL = (
    TEMPLATE.replace("{method: valley, axis: CD45, keep: below, otherwise: tail}", CUT)
    .replace(
        "denominators:",
        "  - {name: leukocytes, parent: cells, gate: {method: boolean, operation: none, of: [cd45neg]}}\ndenominators:",
    )
    .replace("indices:", f"{READOUTS}indices:")
)


def spread(path: Path, seed: int, n: int, *, times: float, middle: float = 500.0) -> Path:
    """Write a tube whose CD146 is log-normal on every cell, without spillover of others into it or out of it."""
    write_tube(path, seed, n)
    sample = read_fcs(path)
    events = np.array(sample.events)
    rng = np.random.default_rng(seed + 50)
    events[:, NAMES.index("PE-A")] = times * (rng.lognormal(0, 0.5, n) * abs(middle) * np.sign(middle))
    words = {"$SPILLOVER": "3,FITC-A,PE-A,APC-A,1,0,0,0,1,0,0,0,1", "$TIMESTEP": "1", "$CYT": "Test cytometer"}
    write_fcs(path, events, NAMES, labels=["", "", "", "CD45", "CD146", "CD271", ""], keywords=words)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("readouts")
    spread(made / "tube.fcs", 1, 6000, times=SHIFT)
    spread(made / "same.fcs", 1, 6000, times=1.0)
    spread(made / "fmo.fcs", 2, 5000, times=1.0)
    spread(made / "fmo_2.fcs", 3, 5000, times=1.0)
    spread(made / "small.fcs", 4, 55, times=1.0)
    spread(made / "below.fcs", 5, 5000, times=1.0, middle=-20.0)
    write_template(made / "t.yaml", FULL)
    return made


def run(folder: Path, *controls: str, labels: dict[str, str] | None = None) -> SampleResult:
    given = [("fmo:CD146", folder / f"{name}.fcs") for name in controls]
    return analyze_with_controls(folder / "tube.fcs", folder / "t.yaml", given, labels=labels)


def numbers(result: SampleResult, population: str) -> dict[str, Statistic]:
    return {
        row.statistic: row
        for row in result.statistics
        if (row.population, row.denominator) == (population, "fmo:CD146")
    }


def test_a_known_shift_lies_within_the_interval(folder: Path) -> None:
    """The control holds the same cells without the antibody: nothing but the shift is between the two."""
    result = run(folder, "same")
    for population in ("leukocytes", "msc"):
        ratio = numbers(result, population)["mfi_ratio"]
        assert ratio.value == pytest.approx(SHIFT, rel=1e-4), population
        assert ratio.ci_low is not None
        assert ratio.ci_high is not None
        assert ratio.ci_low < SHIFT < ratio.ci_high
        assert ratio.n == result.count(population)
        assert ratio.state == "quantifiable"
    narrow, wide = (numbers(result, name)["mfi_ratio"] for name in ("leukocytes", "msc"))
    assert narrow.ci_high - narrow.ci_low < wide.ci_high - wide.ci_low  # type: ignore[operator]
    median = next(r for r in result.statistics if (r.population, r.statistic, r.marker) == ("msc", "median", "CD146"))
    below = numbers(result, "msc")["control_median"].value
    assert numbers(result, "msc")["mfi_ratio"].value == pytest.approx(median.value / below, rel=1e-9)  # type: ignore[operator]


def test_other_cells_in_the_control_move_it_by_chance_alone(folder: Path) -> None:
    """Of log-normal values a median's logarithm has a standard error of sqrt(pi / 2n) times their spread, here 0.5."""
    ratio = numbers(run(folder, "fmo"), "leukocytes")
    n, n_control = ratio["mfi_ratio"].n, ratio["control_median"].n
    chance = 0.5 * np.sqrt(np.pi / 2 * (1 / n + 1 / n_control))  # type: ignore[operator]
    assert abs(np.log(ratio["mfi_ratio"].value / SHIFT)) < 3 * chance  # type: ignore[operator]
    width = np.log(ratio["mfi_ratio"].ci_high / ratio["mfi_ratio"].ci_low)  # type: ignore[operator]
    assert width == pytest.approx(2 * 1.96 * chance, rel=0.15)


def test_the_control_is_read_on_the_tubes_own_boundaries(folder: Path) -> None:
    result = run(folder, "fmo")
    control = analyze(folder / "fmo.fcs", folder / "t.yaml")
    own = next(r for r in control.statistics if (r.population, r.statistic) == ("leukocytes", "median"))
    shown = numbers(result, "leukocytes")["control_median"]
    assert (shown.value, shown.n) == (own.value, own.n)  # its gates are fixed, so that both trees are the same


def test_a_control_is_opened_once_for_background_and_medians(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened, plain = Counter[str](), background.open_fcs

    def counting(path: str | Path, **more: Any) -> Any:
        opened[Path(path).name] += 1
        return plain(path, **more)

    monkeypatch.setattr(background, "open_fcs", counting)
    result = run(folder, "fmo")
    assert opened == {"fmo.fcs": 1}
    assert "mfi_ratio" in numbers(result, "msc")
    assert [row for row in result.statistics if row.statistic == "background" and row.marker == "fmo:CD146"]


def test_controls_of_one_role_are_pooled(folder: Path) -> None:
    one, both = run(folder, "fmo"), run(folder, "fmo", "fmo_2")
    n = [numbers(result, "leukocytes")["control_median"].n for result in (one, both)]
    assert n[1] > 1.9 * n[0]  # type: ignore[operator]
    wide, narrow = (numbers(result, "leukocytes")["mfi_ratio"] for result in (one, both))
    assert narrow.ci_high - narrow.ci_low < wide.ci_high - wide.ci_low  # type: ignore[operator]


def test_without_a_control_there_is_no_number_and_it_says_so(folder: Path) -> None:
    for result in (run(folder), analyze(folder / "tube.fcs", folder / "t.yaml")):
        found = numbers(result, "msc")
        assert set(found) == {"mfi_ratio", "median_difference"}
        assert {row.state for row in found.values()} == {"no FMO control"}
        assert {row.value for row in found.values()} == {None}


def test_too_few_in_the_control_and_values_around_zero_are_refused(folder: Path) -> None:
    small = numbers(run(folder, "small"), "leukocytes")
    assert small["control_median"].n is not None
    assert 20 < small["control_median"].n < 50
    assert (small["mfi_ratio"].value, small["mfi_ratio"].state) == (None, "fewer than 50 events")
    below = numbers(run(folder, "below"), "leukocytes")
    assert (below["mfi_ratio"].value, below["mfi_ratio"].state) == (None, "median not above zero")
    assert below["median_difference"].value > 0.1  # type: ignore[operator]


def test_a_control_that_cannot_be_read_costs_its_number_alone(folder: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.fcs"
    broken.write_bytes((folder / "fmo.fcs").read_bytes()[:2500])
    result = analyze_with_controls(folder / "tube.fcs", folder / "t.yaml", [("fmo:CD146", broken)])
    assert numbers(result, "msc")["mfi_ratio"].state == "no FMO control"
    text = visible(render_sample(result)).split("Niche")[-1]
    assert "broken is not used:" in text


def test_controls_have_no_read_outs_of_their_own(folder: Path) -> None:
    result = analyze(folder / "fmo.fcs", folder / "t.yaml", labels={"role": "fmo:CD146"})
    assert numbers(result, "msc") == {}
    assert 'id="niche"' not in render_sample(result)


def test_a_run_pairs_controls_that_no_gate_and_no_background_asks_for(folder: Path, tmp_path: Path) -> None:
    """Leukocytes carry no marker that they are gated by, so that nothing but the read-out asks for FMO-CD146."""
    text = FULL.replace("      - {kind: mfi_ratio, population: msc, marker: CD146}\n", "")
    text = text.replace("  - {name: progenitors, parent: msc, gate: {method: fixed, axis: CD146, low: 0.45}}\n", "")
    write_template(tmp_path / "t.yaml", text.replace("progenitors: progenitors", "leukocytes: leukocytes"))
    assert background_roles(load_template(tmp_path / "t.yaml"))[-1] == "fmo:CD146"
    sheet = "file,sample_id,patient_id,role,batch\ntube.fcs,tube,P1,stained,b\nfmo.fcs,fmo,P1,fmo:CD146,b\n"
    for name in ("tube.fcs", "fmo.fcs"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    (tmp_path / "samples.csv").write_text(sheet, encoding="utf-8")
    tubes = collect_tubes([], tmp_path / "samples.csv").tubes
    assert run_batch(tubes, tmp_path / "t.yaml", tmp_path / "out", options=BatchOptions()).exit_code == 0
    result = bundle.read_result(tmp_path / "out", "tube")
    assert numbers(result, "leukocytes")["mfi_ratio"].state == "quantifiable"
    assert result.controls[0].n_events == 5000
    lines = (tmp_path / "out" / "populations.csv").read_text(encoding="utf-8").splitlines()
    (line,) = (line for line in lines if ",mfi_ratio," in line)
    assert line.startswith("tube,leukocytes,cells,mfi_ratio,CD146,")
    assert ",ratio,fmo:CD146," in line


def test_the_warning_stands_beside_it_in_the_report(folder: Path) -> None:
    text = visible(render_sample(run(folder, "fmo")))
    assert "It is dim. doi:10.1155/2019/3864948" in text
    assert "CD146 of MSC median over that of the FMO control |" in text
