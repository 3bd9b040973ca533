"""Pages of patients in a run's folder: written with it, led to from its page, printed, and taken away with it."""

from __future__ import annotations

from pathlib import Path

from stromagate.pipeline import bundle
from stromagate.pipeline.printing import pages_of
from stromagate.pipeline.render_again import render_again
from tests.report.cohorts import cohort_tube, write_run


def a_run(folder: Path) -> Path:
    results = [
        cohort_tube("a", 60, 160, patient="P 1", labels={"timepoint": "diagnosis"}),
        cohort_tube("b", 80, 160, patient="P 1", labels={"timepoint": "day 28"}),
        cohort_tube("c", 80, 160, patient="P2"),
        cohort_tube("f", 1, 1, patient="P2").model_copy(update={"labels": {"patient_id": "P2", "role": "fmo:CD146"}}),
    ]
    return write_run(folder, results)


def test_a_run_writes_them_and_its_page_leads_to_them(tmp_path: Path) -> None:
    run = render_again(a_run(tmp_path))
    assert [path.name for path in (tmp_path / "patients").iterdir()] == ["P_1.html"]
    index = (tmp_path / "index.html").read_text()
    assert index.count('href="patients/P_1.html"') == 2
    page = (tmp_path / "patients" / "P_1.html").read_text()
    for link in ("../index.html", "../samples/a/report.html", "../samples/b/report.html", "../assets/plotly.min.js"):
        assert f'"{link}"' in page
        assert (tmp_path / "patients" / link).resolve().is_file()
    assert "patients/NAME.html: the tubes of one patient side by side" in (tmp_path / "README.txt").read_text()
    assert pages_of(tmp_path, run).count(tmp_path / "patients" / "P_1.html") == 1


def test_a_run_without_such_patients_has_none(tmp_path: Path) -> None:
    render_again(write_run(tmp_path, [cohort_tube("a", 60, 160), cohort_tube("b", 60, 160)]))
    assert not (tmp_path / "patients").exists()
    assert "patients/" not in (tmp_path / "README.txt").read_text()


def test_another_run_in_the_folder_takes_them_away(tmp_path: Path) -> None:
    render_again(a_run(tmp_path))
    with bundle.open_folder(tmp_path, ["a", "b", "c", "f"], force=False):
        assert not (tmp_path / "patients").exists()
        assert (tmp_path / "samples" / "a" / "result.json").is_file()
