"""What every gating method promises, whoever wrote it: names, words, purity, and calm in the face of any data."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stromagate.errors import SpecificationError
from stromagate.gating.controls import distribution
from stromagate.gating.method import Fit, GatingMethod, Outside, methods
from stromagate.model.controls import ControlTube
from stromagate.model.gates import Boolean, Ellipse, Geometry, Interval, Polygon, QuadrantPart, Rectangle, Spans
from stromagate.model.locks import LockedBoundary, LockedTube, Locks
from stromagate.model.sample import F32
from stromagate.model.template import GateParams
from tests.gating.methods.examples import examples
from tests.gating.methods.populations import ASINH, FakePopulation
from tests.reference_data import ROOT

METHODS = methods.all()
AXES = ("Time", "FSC-A", "FSC-H", "CD45", "CD271")

EXAMPLES = examples()
CASES = [pytest.param(name, given, id=f"{name}{i}") for name, sets in EXAMPLES.items() for i, given in enumerate(sets)]
GEOMETRIES = (Interval, Spans, Rectangle, Polygon, Ellipse, QuadrantPart, Boolean)


def tube(n: int = 20_000, seed: int = 7) -> dict[str, F32]:
    rng = np.random.default_rng(seed)
    second = rng.random(n) < 0.3
    height = rng.lognormal(np.log(70_000), 0.3, n)
    values = {
        "Time": np.sort(rng.uniform(0, 100, n)),
        "FSC-A": height * 1.15 * np.exp(rng.normal(0, 0.03, n)),
        "FSC-H": height,
        "CD45": np.where(second, rng.normal(0.6, 0.06, n), rng.normal(0.2, 0.05, n)),
        "CD271": np.where(second, rng.normal(0.3, 0.06, n), rng.normal(0.25, 0.05, n)),
    }
    return {axis: column.astype(np.float32) for axis, column in values.items()}


def outside() -> Outside:
    """Return controls of an ordinary tube, without its positives, and boundaries of four earlier batches."""
    negatives = distribution(
        (np.sinh(10 * np.random.default_rng(5).normal(0.25, 0.05, 9_000)) * 100).astype(np.float32)
    )
    shown = {("singlets", axis): negatives for axis in ("CD45", "CD271")}
    controls = tuple(ControlTube(role, role, "00", 9_000, shown) for role in ("fmo:CD271", "unstained"))
    earlier = [
        LockedTube(batch=f"b{i}", sample_id=f"t{i}", sha256="00", cut=500 + 20 * i, negative=0, positive=1000)
        for i in range(4)
    ]
    history = LockedBoundary(
        population="msc", axis="CD271", negative="singlets", positive="bright", tubes=tuple(earlier)
    )
    return Outside(controls, Locks(template="any", template_sha256="00", boundaries=(history,)))


def population(values: dict[str, F32]) -> FakePopulation:
    scales = {"CD45": ASINH, "CD271": ASINH}
    bright = {axis: column[values["CD271"] > 0.3] for axis, column in values.items()}
    others = {name: FakePopulation(some, scales=scales) for name, some in (("singlets", values), ("bright", bright))}
    return FakePopulation(values, "parent", scales, others, outside())


def fitted(name: str, given: dict[str, Any], values: dict[str, F32], seed: int = 3) -> Fit:
    method = METHODS[name]
    return method.fit(population(values), method.params.model_validate(given), np.random.default_rng(seed))


def check(fit: Fit, params: GateParams) -> None:
    """Assert what holds for every fit of every method on any data."""
    assert (fit.geometry is None) == (fit.state == "not_evaluable")
    assert fit.sentence
    assert "\n" not in fit.sentence
    assert not re.search(r"\b(nan|inf)\b", fit.sentence)
    assert fit.spread is None or (np.isfinite(fit.spread) and fit.spread >= 0)
    if fit.geometry is None:
        return
    assert isinstance(fit.geometry, GEOMETRIES)
    used = params.looked_at if hasattr(params, "looked_at") else params.axes_used()
    assert set(fit.geometry.axes) <= set(used)
    assert all(np.isfinite(number) for number in numbers(fit.geometry))
    if isinstance(fit.geometry, Boolean):
        assert set(fit.geometry.of) <= set(params.populations_used())


def numbers(geometry: Geometry) -> list[float]:
    match geometry:
        case Interval(low=low, high=high):
            found: list[float | None] = [low, high]
        case Spans(spans=spans):
            found = [edge for span in spans for edge in span]
        case Rectangle(low=lows, high=highs):
            found = [*lows, *highs]
        case Polygon(vertices=vertices):
            found = [edge for vertex in vertices for edge in vertex]
        case Ellipse():
            found = [
                *geometry.mean,
                *(value for row in geometry.covariance for value in row),
                geometry.distance_squared,
            ]
        case QuadrantPart(origin=origin):
            found = list(origin)
        case Boolean():
            found = []
    return [value for value in found if value is not None]


def test_file_name_is_the_method() -> None:
    files = {path.stem for path in (ROOT / "stromagate/gating/methods").glob("*.py")} - {"__init__"}
    assert files == set(METHODS)


def test_every_method_has_an_example() -> None:
    assert [name for name, sets in EXAMPLES.items() if not sets] == []


@pytest.mark.parametrize("name", sorted(METHODS))
def test_declaration_is_complete(name: str) -> None:
    method = METHODS[name]
    assert isinstance(method, GatingMethod)
    assert issubclass(method.params, GateParams)
    assert method.summary.endswith(".")
    schema = method.params.model_json_schema()
    assert schema["additionalProperties"] is False
    undescribed = [field for field, spec in schema["properties"].items() if not spec.get("description")]
    assert not undescribed
    for module in (ROOT / "stromagate/gating/methods").glob("*.py"):
        assert Path(module).read_text(encoding="utf-8").startswith('"""')


@pytest.mark.parametrize("name", sorted(METHODS))
def test_misspelt_parameter_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="Extra inputs"):
        METHODS[name].params.model_validate({**EXAMPLES[name][0], "treshold": 1})


@pytest.mark.parametrize(("name", "given"), CASES)
def test_explains_itself(name: str, given: dict[str, Any]) -> None:
    method = METHODS[name]
    params = method.params.model_validate(given)
    clause = method.explain(params)
    assert clause
    assert "\n" not in clause
    assert not clause.endswith(".")
    for axis in params.axes_used():
        assert axis in clause


@pytest.mark.parametrize(("name", "given"), CASES)
def test_fits_an_ordinary_tube(name: str, given: dict[str, Any]) -> None:
    fit = fitted(name, given, tube())
    check(fit, METHODS[name].params.model_validate(given))
    assert fit.state in {"fitted", "fixed"}
    if fit.state == "fixed":
        assert fit.spread is None


@pytest.mark.parametrize(("name", "given"), CASES)
def test_same_inputs_give_the_same_fit_and_stay_untouched(name: str, given: dict[str, Any]) -> None:
    values = tube(5_000)
    for column in values.values():
        column.setflags(write=False)
    assert fitted(name, given, values) == fitted(name, given, tube(5_000))


BAD = ("empty", "one", "two", "few", "identical", "nothing finite", "some not finite", "huge", "tiny steps", "negative")


def spoilt(kind: str) -> dict[str, F32]:
    if kind in {"empty", "one", "two", "few"}:
        return {axis: column[: {"empty": 0, "one": 1, "two": 2, "few": 60}[kind]] for axis, column in tube().items()}
    values = tube(6_000)
    rng = np.random.default_rng(1)
    for axis, column in values.items():
        if kind == "identical":
            column[:] = 0.5
        elif kind == "nothing finite":
            column[:] = np.nan
        elif kind == "some not finite":
            column[rng.integers(0, column.size, 300)] = rng.choice([np.nan, np.inf, -np.inf], 300)
        elif kind == "huge":
            column[rng.integers(0, column.size, 5)] = [3e38, -3e38, 1e30, -1e30, 3.4e38]
        elif kind == "tiny steps":
            column[:] = np.float32(1000.0) + rng.integers(0, 2, column.size).astype(np.float32) * np.float32(1e-4)
        elif axis != "Time":
            column[:] = -np.abs(column)
    return values


@pytest.mark.parametrize("kind", BAD)
@pytest.mark.parametrize(("name", "given"), CASES)
def test_bad_data_raise_nothing(name: str, given: dict[str, Any], kind: str) -> None:
    fit = fitted(name, given, spoilt(kind))
    check(fit, METHODS[name].params.model_validate(given))
    if kind in {"empty", "nothing finite"} and fit.state != "fixed" and name != "time":
        assert fit.state == "not_evaluable"
    if kind in {"one", "two", "identical"}:
        assert fit.state in {"not_evaluable", "fallback", "fixed"}


@pytest.mark.parametrize(("name", "given"), CASES)
def test_values_that_are_no_numbers_move_nothing(name: str, given: dict[str, Any]) -> None:
    """NaN and infinities appended behind the events leave the geometry as it is."""
    clean = tube(3_000)
    dirty = {
        axis: np.concatenate([column, np.array([np.nan, np.inf, -np.inf] * 20, dtype=np.float32)])
        for axis, column in clean.items()
    }
    assert fitted(name, given, dirty).geometry == fitted(name, given, clean).geometry


@pytest.mark.parametrize(("name", "given"), CASES)
def test_axis_the_tube_lacks_is_said(name: str, given: dict[str, Any]) -> None:
    method = METHODS[name]
    values = {"SSC-A": tube(3_000)["CD45"]}
    fit = method.fit(FakePopulation(values), method.params.model_validate(given), np.random.default_rng(0))
    if fit.state == "fixed":
        pytest.skip("a fixed gate looks at no data; the panel is checked before")
    assert fit.state in {"not_evaluable", "fallback"}
    assert "no axis" in fit.sentence


def test_unknown_method_names_the_nearest() -> None:
    with pytest.raises(SpecificationError, match="no gating method is named 'valey'") as caught:
        methods.get("valey")
    assert "did you mean 'valley'" in (caught.value.hint or "")
