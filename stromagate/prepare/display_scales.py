"""The display scale of every axis of a tube: what the template says, with top and width taken from file and data."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from stromagate.model.panel import Binding, Panel
from stromagate.model.sample import F32, Channel, Sample
from stromagate.model.scales import Scale
from stromagate.model.template import ScaleSpec
from stromagate.prepare.scales import check_scale

# Width from data is held between these, so that a tube without negatives, or a badly compensated one, still gets a
# readable scale; both ends are this program's own choice.
NARROWEST_DECADES, WIDEST_DECADES = 0.25, 1.75
# Quantile of the negative values that should fit into the linear region: Parks, Roederer and Moore 2006,
# doi:10.1002/cyto.a.20258.
_NEGATIVE_QUANTILE = 0.05
_FEWEST_NEGATIVES = 20
_LOOKED_AT = 200_000
# A stated range is passed where values lie more than this far above it; so few events above are not asked. Own choices.
_PASSED = 1.05
_FEW_ONE_IN, _FEW_AT_LEAST = 10_000, 5


def choose_scales(
    sample: Sample, panel: Panel, specs: Mapping[str, ScaleSpec], linear: Callable[[str], F32]
) -> dict[str, Scale]:
    """Resolve ``from_range`` and ``from_data`` on a tube.

    Parameters
    ----------
    sample : Sample
        The tube; ``$PnR`` of its channels gives the top.
    panel : Panel
        Axes to scale.
    specs : mapping of str to ScaleSpec
        By axis, ``default`` for the other markers. Scatter and time are linear unless named.
    linear : callable
        Compensated scale values of an axis, shape (n,).

    Returns
    -------
    dict of str to Scale

    Raises
    ------
    SpecificationError
        Parameters that make no monotone scale, naming the axis.
    """
    default = specs.get("default", ScaleSpec())
    scales = {}
    for binding in panel.bindings:
        plain = ScaleSpec(transform="linear") if binding.how == "scatter" else default
        spec = specs.get(binding.axis, plain)
        scales[binding.axis] = _resolve(spec, sample, binding, linear)
        check_scale(scales[binding.axis], where=f"scales.{binding.axis}")
    return scales


def _resolve(spec: ScaleSpec, sample: Sample, binding: Binding, linear: Callable[[str], F32]) -> Scale:
    channel = sample.channels[binding.channel]
    values = _some(linear(binding.axis)) if _needs_data(spec) else np.empty(0, dtype=np.float32)
    top = _top(sample, channel, values) if spec.top == "from_range" else spec.top
    width = spec.width
    if width == "from_data":
        width = _width(values, top, spec.decades) if spec.transform == "logicle" else 0.0
    return Scale(spec.transform, float(top), float(width), spec.decades, spec.negative_decades)


def _needs_data(spec: ScaleSpec) -> bool:
    return spec.top == "from_range" or (spec.width == "from_data" and spec.transform == "logicle")


def _top(sample: Sample, channel: Channel, values: F32) -> float:
    """Return the channel's range in scale values, or how far the data reach where they pass that range.

    Cytek and CyTOF files state ranges far below their data. A few events far out are no range: one of 80,000 at forty
    times the top would move boundaries that are found on this scale, and with them every count.
    """
    if channel.is_time:
        top = float(values.max()) if values.size else 0.0
    elif channel.log_decades:
        top = 10.0**channel.log_decades * (channel.log_offset or 1.0)
    else:
        top = channel.range_top / (channel.gain if sample.gain == "apply" and channel.gain else 1.0)
    if not np.isfinite(top) or top <= 0:
        top = 0.0
    reach = _reach(values) if values.size and values.max() > _PASSED * top else 0.0
    return reach if reach > _PASSED * top else (top or 1.0)


def _reach(values: F32) -> float:
    """Return the largest value but for the few that are left out of account."""
    few = max(values.size // _FEW_ONE_IN, min(_FEW_AT_LEAST, values.size // 100))
    at = values.size - 1 - few
    return float(np.partition(values, at)[at])


def _width(values: F32, top: float, decades: float) -> float:
    """Return W such that the given quantile of the negatives lies at the lower end of the scale."""
    negatives = values[values < 0]
    widest = min(WIDEST_DECADES, decades / 2)
    if negatives.size < _FEWEST_NEGATIVES:
        return min(0.5, widest)
    low = abs(float(np.quantile(negatives, _NEGATIVE_QUANTILE)))
    width = (decades - np.log10(top / low)) / 2 if low > 0 else NARROWEST_DECADES
    return float(round(np.clip(width, min(NARROWEST_DECADES, widest), widest), 3))


def _some(values: F32) -> F32:
    """Return the finite ones of at most some 200,000 values, evenly spread over the tube."""
    step = max(1, values.size // _LOOKED_AT)
    some = values[::step]
    return some[np.isfinite(some)]
