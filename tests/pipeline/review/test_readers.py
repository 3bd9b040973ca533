"""Two readers of the same tubes, each with a run of their own."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

import pytest

from stromagate.errors import SpecificationError, UsageError
from stromagate.model.pattern import PatternCall
from stromagate.pipeline import bundle
from stromagate.pipeline.batch import run_batch
from stromagate.pipeline.review.readers import compare_readers
from stromagate.pipeline.review.rerun import rerun
from stromagate.pipeline.review.store import ReviewStore
from stromagate.pipeline.tubes import collect_tubes
from tests.pipeline.reviews import Folder, finished_run, put
from tests.tubes import TEMPLATE, write_template, write_tube

CUTS = (0.5, 0.55, 0.6, 0.65)


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return two runs of four tubes; the second reader cut MSC higher, and calls the tubes otherwise."""
    first = finished_run(tmp_path_factory.mktemp("readers"), "abcd")
    second = first.parent / "second"
    shutil.copytree(first, second)
    store = ReviewStore(second)
    for name, low in zip("abcd", CUTS, strict=True):
        put(store, name, low)
    rerun(second, Folder(first.parent / "in"))
    return first, second


def test_numbers_are_paired_and_compared_on_the_log_scale(two: tuple[Path, Path]) -> None:
    found = compare_readers(*two)
    assert (found.n_tubes, found.only_first, found.only_second) == (4, (), ())
    assert (found.readers, found.n_moved) == (((), ("Reader B",)), (0, 4))
    one = next(each for each in found.numbers if (each.population, each.denominator) == ("msc", "cells"))
    assert [pair.sample_id for pair in one.pairs] == list("abcd")
    result = bundle.read_result(two[1], "c")
    cells, msc = result.count("cells"), result.count("msc")
    assert one.pairs[2].second == pytest.approx(1e6 * msc / cells)
    assert one.limits.log
    assert one.limits.bias == pytest.approx(math.exp(sum(math.log(pair.second / pair.first) for pair in one.pairs) / 4))
    assert one.limits.bias < 1
    assert one.icc.n == 4
    assert json.dumps(found.as_json())


def test_one_pattern_for_all_has_no_kappa_and_says_so(two: tuple[Path, Path]) -> None:
    found = compare_readers(*two)
    assert found.pattern is None
    assert found.why.startswith("both readers have one pattern for all tubes: ")


def test_patterns_are_compared_by_kappa(two: tuple[Path, Path], tmp_path: Path) -> None:
    first, second = (shutil.copytree(run, tmp_path / run.name) for run in two)
    for run, words in ((first, "xxyy"), (second, "xyyy")):
        for name, word in zip("abcd", words, strict=True):
            made = bundle.read_result(run, name)
            called = made.model_copy(update={"pattern": PatternCall(pattern=word)})
            bundle.write_file(run / "samples" / name / "result.json", bundle.to_json_bytes(called))
    found = compare_readers(first, second)
    assert found.pattern.value == pytest.approx(0.5)  # 3 of 4 agree; by chance 2 of 4
    assert found.patterns[1] == ("b", "x", "y")


def test_tubes_are_paired_by_content_and_those_of_one_run_are_named(two: tuple[Path, Path], tmp_path: Path) -> None:
    folder = tmp_path / "in"
    shutil.copytree(two[0].parent / "in", folder)
    (folder / "a.fcs").rename(folder / "renamed.fcs")
    (folder / "b.fcs").unlink()
    write_tube(folder / "e.fcs", 9, 1500)
    other = tmp_path / "other"
    run_batch(collect_tubes([folder]).tubes, two[0].parent / "small.yaml", other)
    found = compare_readers(two[0], other)
    assert (found.n_tubes, found.only_first, found.only_second) == (3, ("b",), ("e",))
    one = found.numbers[0]
    assert [pair.sample_id for pair in one.pairs] == ["a", "c", "d"]
    assert one.icc.value == 1.0
    assert one.limits.bias == 1.0


def test_too_few_tubes_to_compare_say_why(tmp_path: Path) -> None:
    first = finished_run(tmp_path / "few", "ab")
    second = shutil.copytree(first, tmp_path / "second")
    one = compare_readers(first, second).numbers[0]
    assert (one.icc, one.limits) == (None, None)
    assert one.why == "2 pairs of readings can be compared"


def test_runs_that_cannot_be_compared_are_refused(two: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="named twice"):
        compare_readers(two[0], two[0])
    write_tube(tmp_path / "z.fcs", 30, 1500)
    tubes = collect_tubes([tmp_path / "z.fcs"]).tubes
    other = tmp_path / "other"
    run_batch(tubes, two[0].parent / "small.yaml", other)
    with pytest.raises(SpecificationError, match="share no tube"):
        compare_readers(two[0], other)
    template = write_template(tmp_path / "small.yaml", TEMPLATE.replace("low: 0.45", "low: 0.4"))
    run_batch(tubes, template, other)
    with pytest.raises(SpecificationError, match="not of one template"):
        compare_readers(two[0], other)
