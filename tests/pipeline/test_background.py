"""Background of a tube, end to end: its controls counted on its own boundaries, scaled, subtracted and told."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stromagate.errors import InputError
from stromagate.fcs import read_fcs, write_fcs
from stromagate.model.gates import Interval
from stromagate.model.result import SampleResult, Statistic
from stromagate.pipeline import analyze, analyze_with_controls, background, bundle, count_populations, load_template
from stromagate.pipeline.background import background_roles
from stromagate.pipeline.batch import run_batch
from stromagate.pipeline.job import BatchOptions
from stromagate.pipeline.tubes import collect_tubes
from tests.tubes import NAMES, TEMPLATE, write_template, write_tube

HEADER = "file,sample_id,patient_id,role,batch\n"
ROWS = (
    "a.fcs,a,P1,stained,b1\nb.fcs,b,P2,stained,b1\n"
    "a271.fcs,a271,P1,fmo:CD271,b1\nb271.fcs,b271,P2,fmo:CD271,b1\n"
    "a146.fcs,a146,P1,fmo:CD146,b1\nfree.fcs,free,P9,blank,b1\nbare.fcs,bare,P1,unstained,b1\n"
)
DYES = {"CD45": "FITC-A", "CD146": "PE-A", "CD271": "APC-A"}


def write_control(path: Path, seed: int, without: tuple[str, ...], *, n: int = 3000, glow: int = 0) -> Path:
    """Write a tube without some antibodies; ``glow`` leukocytes-free large events lie beyond every cut all the same."""
    write_tube(path, seed, n)
    sample = read_fcs(path)
    events = np.array(sample.events)
    rng = np.random.default_rng(seed + 100)
    for marker in without:
        events[:, NAMES.index(DYES[marker])] = rng.normal(60, 60, n)
    rare = np.flatnonzero(events[:, 0] > 20_000)[:glow]
    events[rare[:, None], [NAMES.index(name) for name in ("FSC-A", "FITC-A", "PE-A", "APC-A")]] = [12e4, 100, 3e4, 3e4]
    words = {key: sample.keywords[key] for key in ("$SPILLOVER", "$TIMESTEP", "$CYT")}
    write_fcs(path, events, NAMES, labels=["", "", "", *DYES, ""], keywords=words)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two stained tubes with FMO, unstained and stroma-free tubes, run by a template without a gate on controls."""
    made = tmp_path_factory.mktemp("background")
    for seed, name in enumerate(("a", "b")):
        write_tube(made / f"{name}.fcs", seed, 6000)
    write_control(made / "a271.fcs", 10, ("CD271",), glow=3)
    write_control(made / "b271.fcs", 11, ("CD271",), glow=40)
    write_control(made / "a146.fcs", 12, ("CD146",), glow=2)
    write_control(made / "free.fcs", 13, ("CD271", "CD146"), glow=5)
    write_control(made / "bare.fcs", 14, tuple(DYES), glow=1)
    write_template(
        made / "t.yaml", TEMPLATE.replace("{method: valley, axis: CD45, keep: below, otherwise: tail}", FIXED)
    )
    (made / "samples.csv").write_text(HEADER + ROWS, encoding="utf-8")
    run(made)
    return made


FIXED = "{method: fixed, axis: CD45, high: 0.5}"


def run(made: Path, out: str = "out") -> None:
    tubes = collect_tubes([], made / "samples.csv").tubes
    assert run_batch(tubes, made / "t.yaml", made / out, options=BatchOptions()).exit_code == 0


def result(made: Path, name: str) -> SampleResult:
    return bundle.read_result(made / "out", name)


def rows(found: SampleResult, population: str, marker: str) -> dict[str, Statistic]:
    return {row.statistic: row for row in found.statistics if (row.population, row.marker) == (population, marker)}


def counted(found: SampleResult, path: Path) -> Mapping[str, int]:
    return count_populations(path, found.tree)


def test_an_fmo_is_counted_on_the_boundaries_of_its_tube_and_scaled_by_events(folder: Path) -> None:
    a = result(folder, "a")
    here, there = counted(a, folder / "a.fcs"), counted(a, folder / "a271.fcs")
    assert there["msc"] == 3
    found = rows(a, "msc", "fmo:CD271")
    assert set(found) >= {"background", "background_per_million", "net", "net_per_million"}
    expected = there["msc"] * here["cells"] / there["cells"]
    assert found["background"].value == pytest.approx(expected)
    assert (found["background"].n, found["background"].denominator) == (3, "cells")
    assert found["net"].value == pytest.approx(here["msc"] - expected)
    assert found["net_per_million"].value == pytest.approx(1e6 * (here["msc"] - expected) / here["cells"])
    low, high = found["net"].ci_low, found["net"].ci_high
    assert low is not None
    assert high is not None
    assert low < here["msc"] - expected < high
    (limits,) = (each for each in a.detection if each.population == "msc")
    assert (limits.method, limits.lob_events >= 9) == ("Poisson", True)


def test_the_patients_own_control_goes_before_those_of_others(folder: Path) -> None:
    a, b = result(folder, "a"), result(folder, "b")
    assert {use.sample_id: use.counts for use in a.controls}["b271"] == {}
    assert rows(b, "msc", "fmo:CD271")["background"].n == 40
    assert {use.sample_id for use in a.controls if use.counts} == {"a271", "a146", "free", "bare"}


def test_an_fmo_tells_nothing_of_populations_that_do_not_carry_its_marker(folder: Path) -> None:
    a = result(folder, "a")
    assert rows(a, "msc", "fmo:CD146") == {}
    assert rows(a, "progenitors", "fmo:CD146")["background"].n == 2
    assert rows(a, "progenitors", "fmo:CD271")["background"].n == 3


def test_an_unstained_tube_is_scaled_by_what_needs_no_antibody(folder: Path) -> None:
    a = result(folder, "a")
    assert rows(a, "msc", "unstained")["background"].denominator == "cells"
    assert rows(a, "msc", "unstained")["background"].state == "upper bound, not subtracted"
    assert "net" not in rows(a, "msc", "unstained")
    assert "unstained" not in {each.source for each in a.detection}
    use = next(use for use in a.controls if use.role == "unstained")
    assert use.counts["msc"] == 1
    assert use.n_events == 3000


def test_background_takes_states_down(folder: Path) -> None:
    b = result(folder, "b")
    limits = {each.population: each for each in b.detection}["msc"]
    assert limits.source == "fmo:CD271"
    count = b.count("msc")
    assert count is not None
    assert 50 <= count < limits.lloq_events
    state = next(row.state for row in b.statistics if (row.population, row.statistic) == ("msc", "count"))
    assert state == ("not detected" if count <= limits.lob_events else "detected, not quantifiable")
    plain = analyze(folder / "b.fcs", folder / "t.yaml")
    assert {each.method for each in plain.detection} == {"floors"}
    assert next(row.state for row in plain.statistics if row.population == "msc") == "quantifiable"


def test_a_control_of_a_handful_of_events_sets_no_limit(tmp_path: Path) -> None:
    """A stub of an FMO file made a limit of thousands, by which every cell of the tube was background."""
    write_tube(tmp_path / "a.fcs", 0, 6000)
    write_control(tmp_path / "stub.fcs", 10, ("CD271",), n=60, glow=1)
    write_template(
        tmp_path / "t.yaml", TEMPLATE.replace("{method: valley, axis: CD45, keep: below, otherwise: tail}", FIXED)
    )
    rows_of_sheet = "a.fcs,a,P1,stained,b1\nstub.fcs,stub,P1,fmo:CD271,b1\n"
    (tmp_path / "samples.csv").write_text(HEADER + rows_of_sheet, encoding="utf-8")
    run(tmp_path)
    a = result(tmp_path, "a")
    (known,) = (each for each in a.background if each.population == "msc")
    assert known.too_small
    assert known.high > (a.count("msc") or 0), "with it in force nothing would be detected"
    (limits,) = (each for each in a.detection if each.population == "msc")
    assert (limits.method, limits.lob_events) == ("floors", 0)
    plain = analyze(tmp_path / "a.fcs", tmp_path / "t.yaml")
    assert [row.state for row in plain.statistics if row.statistic == "count"] == [
        row.state for row in a.statistics if row.statistic == "count"
    ]


def test_controls_have_no_background_of_their_own(folder: Path) -> None:
    for name in ("a271", "free", "bare"):
        found = result(folder, name)
        assert found.detection == ()
        assert not {row.statistic for row in found.statistics} & {"background", "net", "lob", "without_marker"}


def test_a_finished_run_is_kept(folder: Path) -> None:
    before = (folder / "out" / "samples" / "a" / "result.json").stat().st_mtime_ns
    run(folder)
    assert (folder / "out" / "samples" / "a" / "result.json").stat().st_mtime_ns == before


def test_each_marker_left_out_stands_among_the_numbers(folder: Path) -> None:
    a = result(folder, "a")
    without = {row.marker: row for row in a.statistics if (row.population, row.statistic) == ("msc", "without_marker")}
    assert list(without) == ["CD45", "CD271"]
    count = a.count("msc")
    assert count is not None
    assert (without["CD45"].value or 0) >= count
    assert (without["CD271"].value or 0) > count


def test_time_is_left_open_on_controls(folder: Path) -> None:
    text = (folder / "t.yaml").read_text(encoding="utf-8")
    timed = text.replace(
        "  - {name: cells, parent: all,",
        "  - {name: early, parent: all, gate: {method: fixed, axis: Time, high: 30}}\n  - {name: cells, parent: early,",
    )
    write_template(folder / "timed.yaml", timed)
    found = analyze_with_controls(folder / "a.fcs", folder / "timed.yaml", [("fmo:CD271", folder / "a271.fcs")])
    nodes = tuple(
        replace(n, geometry=Interval("Time", None, None)) if n.name == "early" else n for n in found.tree.nodes
    )
    whole = count_populations(folder / "a271.fcs", replace(found.tree, nodes=nodes))
    (use,) = found.controls
    assert use.counts == {name: whole[name] for name in use.counts}
    assert use.counts["cells"] > 1.5 * count_populations(folder / "a271.fcs", found.tree)["cells"]


def test_a_control_that_cannot_be_counted_shows_nothing(folder: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.fcs"
    broken.write_bytes((folder / "a271.fcs").read_bytes()[:3000])
    found = analyze_with_controls(folder / "a.fcs", folder / "t.yaml", [("fmo:CD271", broken)])
    (use,) = found.controls
    assert (use.unused, use.counts) == ("failed", {})
    assert {each.method for each in found.detection} == {"floors"}


def test_a_control_that_cannot_be_counted_any_more_is_a_finding_and_looked_at_anew(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as on a share that was away for a moment: the numbers would be without background, and kept so."""

    def away(*_: object, **__: object) -> object:
        raise InputError("fcs.missing", "the share is away")

    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    whole = (folder / "out/samples/a/result.json").read_bytes()
    shutil.rmtree(tmp_path / "out")
    with monkeypatch.context() as patched:
        patched.setattr(background, "open_fcs", away)
        run(tmp_path)
    lacking = result(tmp_path, "a")
    assert {use.unused for use in lacking.controls if not use.counts and use.reason} == {"failed"}
    told = [each.sentence for each in lacking.findings if (each.code, each.status) == ("Q43", "warn")]
    assert told[0].endswith("could not be used: its events could not be counted: the share is away.")
    run(tmp_path)
    assert (tmp_path / "out/samples/a/result.json").read_bytes() == whole


def test_roles_that_may_show_background_are_read_from_the_template(folder: Path) -> None:
    core = background_roles(load_template("bm_stroma_core"))
    assert {"fmo:CD271", "fmo:CD146", "unstained", "blank"} <= set(core)
    assert "fmo:CD235a" not in core
    assert "fmo:CD45" not in core
    assert background_roles(load_template(folder / "t.yaml")) == (
        "fmo:CD271",
        "fmo:CD146",
        "unstained",
        "blank",
    )


def test_much_background_is_a_failure_and_little_passes(folder: Path) -> None:
    found = {
        name: next(each for each in result(folder, name).findings if each.code == "Q16" and each.population == "msc")
        for name in ("a", "b")
    }
    assert (found["a"].status, found["b"].status) == ("pass", "fail")
    assert found["b"].sentence.startswith("40 events of MSC in the FMO-CD271 control")
