"""Shipped read-outs on simulated tubes of their panels: the ratio that the true cells have, refusals, and the warnings.

The true ratio is that of the cells that the simulator calls MSC or blasts, in the tube and in its FMO tube; family a.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from stromagate.fcs import read_fcs
from stromagate.model.config import RunConfig
from stromagate.model.result import SampleResult, Statistic
from stromagate.pipeline import analyze_with_controls, load_template
from stromagate.prepare import prepare
from stromagate.report import render_sample
from stromagate.simulate import Tube, TubeOrder, scenario, simulate_tube, write_tube
from stromagate.simulate.populations import MSC
from tests.report.pages import visible

SEED = 31


@dataclass(frozen=True, slots=True)
class Case:
    template: str
    panel: str
    marrow: str
    n_events: int
    prepared: str
    controls: tuple[str, ...]
    labels: tuple[tuple[str, str], ...] = ()


NICHE = Case("stroma_niche", "niche_13", "healthy", 80_000, "cd45_depleted", ("fmo:CD339", "fmo:CXCL12"))
HYPOXIA = Case("hypoxia_10", "hypoxia", "healthy", 80_000, "cd45_depleted", ("fmo:HIF-1a",))
BLASTS = Case("blast_adhesion", "blast_adhesion", "aml_msc_high", 30_000, "whole", ("fmo:CD184",))
IMMUNE = Case("immune_10", "immune_12", "aml_msc_high", 40_000, "whole", ("fmo:CD274",), (("diagnosis", "AML"),))
STEM = Case("lsc_hsc_9", "lsc_hsc_9", "healthy", 120_000, "whole", ("fmo:CD90",))
CD34_NEGATIVE = Case("lsc_hsc_9", "lsc_hsc_9", "aml_cd34neg", 60_000, "whole", (), (("diagnosis", "AML"),))

Run = Callable[[Case], tuple[dict[str, tuple[Tube, Path]], SampleResult]]


@pytest.fixture(scope="module")
def analyzed(tmp_path_factory: pytest.TempPathFactory) -> Run:
    @cache
    def run(case: Case) -> tuple[dict[str, tuple[Tube, Path]], SampleResult]:
        folder, made = tmp_path_factory.mktemp("readouts"), dict[str, tuple[Tube, Path]]()
        for role in ("stained", *case.controls):
            order = TubeOrder(
                scenario(case.marrow),
                role.replace(":", "_"),
                f"donor{SEED}",
                role=role,
                prepared=case.prepared,
                batch="b1",
                n_events=case.n_events,
                rate_per_s=5000.0 if case.prepared == "whole" else 1000.0,
                seed=SEED,
                panel=case.panel,
            )
            tube, path = simulate_tube(order, workers=2), folder / f"{order.sample_id}.fcs"
            write_tube(tube, path)
            made[role] = tube, path
        controls = [(role, path) for role, (_, path) in made.items() if role != "stained"]
        config = RunConfig(boundary_draws=0, grid=32)
        return made, analyze_with_controls(
            made["stained"][1], case.template, controls, config, labels=dict(case.labels)
        )

    return run


def one(result: SampleResult, statistic: str, population: str, marker: str = "") -> Statistic:
    (row,) = (
        row
        for row in result.statistics
        if (row.statistic, row.population, row.marker) == (statistic, population, marker)
    )
    return row


def niche(result: SampleResult) -> str:
    page = render_sample(result)
    return visible('<section id="niche"' + page.split('<section id="niche"')[1].split("</section>")[0])


def true_ratio(made: dict[str, tuple[Tube, Path]], case: Case, marker: str, kinds: tuple[str, ...]) -> float:
    medians = []
    for role in ("stained", f"fmo:{marker}"):
        tube, path = made[role]
        pnn = next(spec.pnn for spec in made["stained"][0].panel.detectors if spec.marker == marker)
        prepared = prepare(read_fcs(path), load_template(case.template).template, RunConfig(markers={marker: pnn}))
        rows = np.flatnonzero(tube.truth.viable_singlet & tube.truth.is_one_of(*kinds))
        medians.append(float(np.median(prepared.linear(marker, rows))))
    return medians[0] / medians[1]


@pytest.mark.parametrize(
    ("case", "population", "marker", "kinds"),
    [
        (NICHE, "msc", "CD339", MSC),
        (NICHE, "msc", "CXCL12", MSC),
        (HYPOXIA, "msc", "HIF-1a", MSC),
        (BLASTS, "blasts", "CD184", ("blast",)),
    ],
)
def test_the_ratio_of_the_true_cells_lies_within_the_interval(
    case: Case, population: str, marker: str, kinds: tuple[str, ...], analyzed: Run
) -> None:
    made, result = analyzed(case)
    row, true = one(result, "mfi_ratio", population, marker), true_ratio(made, case, marker, kinds)
    assert row.value is not None
    assert row.ci_low is not None
    assert row.ci_high is not None
    assert true > 2
    assert row.ci_low < true < row.ci_high or abs(row.value / true - 1) < 0.03  # gates of many blasts err by more


def test_what_has_no_antibody_is_as_its_control(analyzed: Run) -> None:
    row = one(analyzed(HYPOXIA)[1], "mfi_ratio", "endothelium", "HIF-1a")  # simulated endothelium carries none
    assert row.ci_low is not None
    assert row.ci_high is not None
    assert row.ci_low < 1 < row.ci_high


def test_hypoxia_bears_its_flag_in_number_and_page(analyzed: Run) -> None:
    _, result = analyzed(HYPOXIA)
    assert one(result, "mfi_ratio", "msc", "HIF-1a").state == "post-reoxygenation"
    assert "▲ post-reoxygenation. HIF-1a decays within minutes of air." in niche(result)
    (finding,) = (found for found in result.findings if found.code == "Q66")
    assert (finding.status, finding.sentence) == (
        "warn",
        "Hypoxia markers: post-reoxygenation (the sample sheet says nothing of fixation at the bedside).",
    )


def test_an_aspirate_has_no_osteoblasts_and_cross_talk_has_its_warnings(analyzed: Run) -> None:
    text = niche(analyzed(NICHE)[1])
    assert "▲ not from a digest." in text
    assert "CXCL12 is secreted" in text
    assert "Endothelium to MSC (EC:MSC) |" in text
    assert "Not in this panel: VCAM-1 (CD106); ICAM-1 (CD54)." in text
    assert "Not shown, for the panel carries nothing of it: Hypoxia markers of MSC." in text


def test_cxcr4_stands_among_its_published_strata_beside_cells_that_carry_it(analyzed: Run) -> None:
    _, result = analyzed(BLASTS)
    text = niche(result)
    assert "Published strata of this ratio: below 5, 5 to 10, above 10 (Spoo 2007," in text
    assert "They place the number and are no outcome of anybody. doi:10.1182/blood-2006-05-024844" in text
    assert one(result, "mfi_ratio", "lymphocytes", "CD184").value > 2  # type: ignore[operator]
    assert [found.status for found in result.findings if found.code == "Q67"] == ["pass"]
    assert one(result, "mfi_ratio", "blasts", "CD44").state == "no FMO control"


def test_suppressor_like_cells_of_aml_fail_and_stay_grey(analyzed: Run) -> None:
    _, result = analyzed(IMMUNE)
    assert [found.status for found in result.findings if found.code == "Q65"] == ["fail"]
    text = niche(result)
    assert text.count("✕ not interpretable in AML without LAIP") == 4
    assert one(result, "mfi_ratio", "cd34_cells", "CD274").value is not None


def test_lsc_to_hsc_is_the_logarithm_of_both_counts(analyzed: Run) -> None:
    _, result = analyzed(STEM)
    row, lsc, hsc = one(result, "log_ratio", "cd90neg"), result.count("cd90neg"), result.count("hsc")
    assert lsc is not None
    assert hsc is not None
    assert hsc >= 20
    assert row.value == pytest.approx(np.log(lsc / hsc))
    assert row.counting_low == pytest.approx(np.log(lsc / hsc) - 1.959964 * np.sqrt(1 / lsc + 1 / hsc), abs=1e-6)
    assert "LSC-like cells to HSC (LSC:HSC) |" in niche(result)


def test_leukaemia_without_cd34_is_seen_and_not_applicable(analyzed: Run) -> None:
    _, result = analyzed(CD34_NEGATIVE)
    row = one(result, "log_ratio", "cd90neg")
    assert (row.value, row.state) == (None, "not applicable")
    assert "blasts carry CD34" in niche(result)
    assert [found.status for found in result.findings if found.code == "Q25"] == ["warn"]
