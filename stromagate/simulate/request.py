"""From what somebody asks for to the tubes that make it up, all checked before the first is made."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from stromagate.errors import UsageError
from stromagate.fcs import read_header
from stromagate.simulate.panel import STROMA_CORE_8
from stromagate.simulate.scenario import Scenario
from stromagate.simulate.spike_in import SpikeOrder
from stromagate.simulate.tube import TubeOrder, check_order

Order = TubeOrder | SpikeOrder

MAX_SPIKE_PPM = 500_000
_OTHER_FRAC = 0.25
"""Events of a companion that is no FMO, relative to the stained tube."""
_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody wants to have: every scenario with every seed, each with its companions.

    ``n_events`` None is what the scenario holds; ``spike_ppm`` replaces its MSC per million. ``companions`` are roles
    such as ``fmo:CD146`` or ``unstained``. With a ``background`` there are no companions: nobody stained them.
    """

    scenarios: Sequence[Scenario]
    seeds: Sequence[int] = (1,)
    n_events: int | None = None
    spike_ppm: float | None = None
    companions: Sequence[str] = ()
    prepared: str = "whole"
    family: str = "a"
    rate_per_s: float = 2_000.0
    background: Path | None = None
    panel: str = STROMA_CORE_8.name


def orders_of(request: Request) -> tuple[list[Order], tuple[str, ...]]:
    """Return the tubes of a request, and in words the companions left out because their scenario has none.

    Raises
    ------
    UsageError
        A number is out of range, or something was asked for that a real background does not have.
    SpecificationError
        The role of a companion, the preparation, the family or the panel is unknown.
    InputError
        The background is no FCS file.
    """
    _check(request)
    orders: list[Order] = []
    left_out: list[str] = []
    scenarios = {made.name: made for made in request.scenarios}
    for made in scenarios.values():
        name = made.name if request.spike_ppm is None else f"{made.name}_{request.spike_ppm:g}ppm"
        spiked = made if request.spike_ppm is None else replace(made, msc_ppm=request.spike_ppm, msc_ppm_gsd=1.0)
        for seed in dict.fromkeys(request.seeds):
            sample_id, donor = f"{name}_s{seed}", f"{made.donor or made.name}_s{seed}"
            if request.background is not None:
                orders.append(SpikeOrder(request.background, spiked, sample_id, donor, seed, request.family))
                continue
            orders += _tubes(request, spiked, sample_id, donor, seed)
        fmos = [role for role in request.companions if role.startswith("fmo:")]
        if fmos and made.fmo_frac == 0.0:
            left_out.append(f"{made.name} has no {', '.join(fmos)}: that nobody stained one is what it is about")
    return orders, tuple(left_out)


def _check(request: Request) -> None:
    ppm = request.spike_ppm
    if ppm is not None and not 0 <= ppm <= MAX_SPIKE_PPM:
        raise UsageError("simulate.spike", f"{ppm:g} MSC per million asked for", hint=f"0 to {MAX_SPIKE_PPM:,}")
    if request.background is None:
        return
    extra = {"companions": bool(request.companions), "a preparation": request.prepared != "whole"}
    extra["a number of events"] = request.n_events is not None
    extra["a panel"] = request.panel != STROMA_CORE_8.name
    asked = [name for name, there in extra.items() if there]
    if asked:
        raise UsageError(
            "simulate.background_only",
            f"a real background has its own events, and {' and '.join(asked)} cannot be asked for beside it",
            hint="leave that out, or --background",
        )
    read_header(request.background)


def _tubes(request: Request, made: Scenario, sample_id: str, donor: str, seed: int) -> Iterator[TubeOrder]:
    """Yield the stained tube and its companions; an FMO tube may be from another day."""
    n_events = made.n_events if request.n_events is None else request.n_events
    stained = TubeOrder(
        made,
        sample_id,
        donor,
        prepared=request.prepared,
        batch=made.batch,
        n_events=n_events,
        rate_per_s=request.rate_per_s,
        seed=seed,
        family=request.family,
        panel=request.panel,
    )
    check_order(stained)
    yield stained
    for role in dict.fromkeys(request.companions):
        is_fmo = role.startswith("fmo:")
        frac = made.fmo_frac if is_fmo else _OTHER_FRAC
        companion = replace(
            stained,
            sample_id=f"{sample_id}_{_NOT_IN_A_NAME.sub('_', role)}",
            role=role,
            n_events=max(1, round(frac * n_events)),
            batch=made.fmo_batch if is_fmo and made.fmo_batch else made.batch,
        )
        check_order(companion)
        if frac > 0 and role != "stained":
            yield companion
