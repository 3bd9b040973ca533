"""A trained gate on a tube: the document's own ellipse where the tube is like the trained ones, a reason where not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.stats import t as student

from stromagate.gating.method import Fit
from stromagate.gating.methods.classifier import METHOD, Params
from stromagate.model.classifier import Classifier, DonorScore, TrainingTube, two_digits
from stromagate.model.gates import Ellipse
from stromagate.model.scales import Scale
from tests.gating.methods.classifiers import document
from tests.gating.methods.populations import ASINH, FakePopulation


def params(model: Classifier | None = None, **more: Any) -> Params:
    return Params(model="m.json", trained=model or document(), **more)


def tube(cd45: float = 0.22, n: int = 3_000, scales: dict[str, Scale] | None = None) -> FakePopulation:
    rng = np.random.default_rng(4)
    values = {"CD45": rng.normal(cd45, 0.05, n), "CD271": rng.normal(0.26, 0.05, n)}
    shown = {axis: column.astype(np.float32) for axis, column in values.items()}
    return FakePopulation(shown, "parent", {"CD45": ASINH, "CD271": ASINH} if scales is None else scales)


def fitted(population: FakePopulation, given: Params | None = None) -> Fit:
    return METHOD.fit(population, given or params(), np.random.default_rng(0))


def test_the_boundary_is_the_document_s_own() -> None:
    model, fit = document(), fitted(tube())
    assert fit.geometry == Ellipse(("CD45", "CD271"), (0.6, 0.3), ((0.0036, 0.0), (0.0, 0.0036)), 9.0)
    assert (fit.state, fit.spread) == ("fitted", 0.004)
    assert fit.source == f"model {model.sha256[:12]}, 3 donors"
    assert "learned from 3 donors (3 tubes, 1 of them labelled by hand, 120 events of msc" in fit.sentence
    assert (
        f"model {model.sha256[:12]}), which in donors left out had a median F1 of 0.95 and at worst 0.95"
        in fit.sentence
    )


def test_nothing_of_the_tube_moves_it() -> None:
    assert fitted(tube(0.225)).geometry == fitted(tube(0.215)).geometry


@pytest.mark.parametrize("way", [-1, 1])
def test_a_tube_unlike_the_trained_ones_is_refused_with_the_axis_and_the_limits(way: int) -> None:
    fit = fitted(tube(0.22 + way * 0.3))
    assert (fit.geometry, fit.state) == (None, "not_evaluable")
    assert "the tube is unlike those that were trained on: the median CD45 of parent is" in fit.sentence
    assert "CD271 of parent" not in fit.sentence


def test_the_limit_is_that_of_one_further_donor() -> None:
    """Student's prediction interval over both axes together, two-sided: one tube in a hundred lies beyond."""
    reach = student.ppf(1 - 0.005 / 2, df=2) * 0.01 * np.sqrt(1 + 1 / 3)
    inside, beyond = (fitted(tube(0.22 + way * reach, n=200_000)) for way in (0.97, 1.03))
    assert inside.geometry is not None
    assert beyond.geometry is None


def test_more_donors_know_better_what_a_tube_is_like() -> None:
    names = tuple(f"d{i}" for i in range(12))
    tubes = tuple(replace_donor(document().tubes[0], name, i) for i, name in enumerate(names))
    scores = tuple(document().held_out[0].model_copy(update={"donor": name}) for name in names)
    many = document(tubes=tubes, held_out=scores)
    assert fitted(tube(0.27)).geometry is not None
    assert fitted(tube(0.27), params(many)).geometry is None


def replace_donor(one: TrainingTube, name: str, index: int) -> TrainingTube:
    return one.model_copy(update={"donor": name, "sha256": f"{index:064x}"})


def test_few_events_are_refused_and_widen_the_limits() -> None:
    assert "19 events are too few" in fitted(tube(n=19)).sentence
    many = document(axes=tuple(axis.model_copy(update={"parent_sd": 0.0}) for axis in document().axes))
    assert fitted(tube(0.225, n=100_000), params(many)).geometry is None
    assert fitted(tube(0.225, n=30), params(many)).geometry is not None


@pytest.mark.parametrize("scale", [Scale("asinh", top=100_000.0), Scale("logicle", top=262144.0), Scale()])
def test_another_scale_is_refused(scale: Scale) -> None:
    fit = fitted(tube(scales={"CD45": scale, "CD271": ASINH}))
    assert fit.geometry is None
    assert "CD45 is not on the scale that the gate was trained on" in fit.sentence


def test_an_asinh_scale_has_no_width() -> None:
    assert fitted(tube(scales={"CD45": replace(ASINH, width_decades=0.1), "CD271": ASINH})).geometry is not None


def test_the_top_of_a_linear_axis_sets_plot_limits_only() -> None:
    first = document().axes[0].model_copy(update={"scale": Scale()})
    linear = document(axes=(first, document().axes[1]))
    assert fitted(tube(scales={"CD45": Scale(top=4e6), "CD271": ASINH}), params(linear)).geometry is not None


def test_it_says_what_a_template_must_be_like() -> None:
    needs = params().made_for()
    assert (needs.parent, needs.gain) == ("parent", "apply")
    assert needs.scales == {"CD45": ASINH, "CD271": ASINH}
    assert params().axes_used() == ("CD45", "CD271")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"mean": (0.6, 0.3, 0.1)}, "one value and one row per axis"),
        ({"covariance": ((0.1, 0.0),)}, "one value and one row per axis"),
        ({"axes": (document().axes[0], document().axes[0])}, "an axis is named twice"),
        ({"axes": (document().axes[0],), "mean": (0.6,), "covariance": ((0.1,),)}, "at least 2 items"),
        ({"distance_squared": 0.0}, "greater than 0"),
        ({"distance_squared": float("inf")}, "less than or equal|finite"),
        ({"spread": float("nan")}, "finite|greater than"),
        ({"mean": (1e13, 0.3)}, "less than or equal"),
        ({"tubes": document().tubes[:2]}, "at least 3 items"),
        ({"held_out": document().held_out[:1] * 3}, "are not those that were scored"),
        ({"goal": "recall"}, "`recall` is given exactly where it is the goal"),
        ({"f1_median": 1.1}, "less than or equal to 1"),
    ],
)
def test_a_document_that_cannot_be_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        document(**changes)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"covariance": ((1.0, 2.0), (2.0, 1.0))}, "describes no ellipse"),
        ({"covariance": ((0.0, 0.0), (0.0, 1.0))}, "without variance"),
        ({"covariance": ((1.0, 0.5), (0.4, 1.0))}, "not symmetric"),
    ],
)
def test_geometry_that_is_none_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        params(document(**changes))


def test_a_scale_that_is_none_is_refused() -> None:
    axis = document().axes[0].model_copy(update={"scale": replace(ASINH, top=float("inf"))})
    with pytest.raises(ValidationError, match="a scale has a number that is not finite"):
        document(axes=(axis, document().axes[1]))
    axis = document().axes[0].model_copy(update={"scale": replace(ASINH, top=-1.0)})
    with pytest.raises(ValidationError, match="the asinh scale cannot be used"):
        params(document(axes=(axis, document().axes[1])))


def test_a_document_without_its_hash_or_with_a_wrong_one_is_refused() -> None:
    plain = document().model_dump()
    with pytest.raises(ValidationError, match="`sha256` is empty"):
        params(Classifier(**plain | {"sha256": ""}))
    with pytest.raises(ValidationError, match="not as it was written"):
        Classifier(**plain | {"spread": 0.1})


def test_the_hash_is_of_everything_but_the_day() -> None:
    plain = document()
    assert document(made_on="2026-11-30").sha256 == plain.sha256
    assert "made_on" not in plain.model_dump()
    for changes in ({"spread": 0.1}, {"population": "other"}, {"f1_worst": 0.5}, {"stromagate": "9"}):
        assert document(**changes).sha256 != plain.sha256


@settings(max_examples=30)
@given(numbers=st.lists(st.floats(-1e12, 1e12), min_size=2, max_size=2), spread=st.floats(0, 1e12))
def test_a_document_survives_being_written(numbers: list[float], spread: float) -> None:
    model = document(mean=tuple(numbers), spread=spread)
    assert Classifier.model_validate_json(model.model_dump_json()) == model


@given(share=st.floats(0, 1))
def test_a_score_is_never_said_to_be_better_than_it_is(share: float) -> None:
    assert share - 0.01 <= float(two_digits(share)) <= share + 1e-9


def test_a_donor_without_members_has_no_f1() -> None:
    none = DonorScore(donor="d3", n_members=0, found=0, false_events=4, precision=0.0, recall=None, f1=None)
    assert document(held_out=(*document().held_out[:2], none)).held_out[2].f1 is None
