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
MAX_SERIES = 99
"""Most batches, and donors of a batch."""
_DAYS_BETWEEN_BATCHES = 7
_SHIFTS_DECADES = (0.0, 0.15, -0.15, 0.075, -0.075)
_OTHER_FRAC = 0.25
"""Events of a companion that is no FMO, relative to the stained tube."""
_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody wants to have: every scenario with every seed, each with its companions.

    ``n_events`` None is what the scenario holds; ``spike_ppm`` replaces its MSC per million. ``companions`` are roles
    such as ``fmo:CD146`` or ``unstained``. ``companion_events`` is how many events each of them holds, where
    not in proportion to the stained tube.

    ``donors`` of each scenario and seed are measured. With ``batches`` every donor is measured in each of them, a week
    apart, with antibody lots and a gain (see `batch_shift_decades`) of the batch. With a ``background`` there are no
    companions and no batches: nobody stained them.
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
    companion_events: int | None = None
    batches: int = 0
    donors: int = 1


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
            for tube_id, who, when in _measured(request, spiked, sample_id, donor):
                orders += _tubes(request, when, tube_id, who, seed)
        fmos = [role for role in request.companions if role.startswith("fmo:")]
        if fmos and made.fmo_frac == 0.0:
            left_out.append(f"{made.name} has no {', '.join(fmos)}: that nobody stained one is what it is about")
    return orders, tuple(left_out)


def _check(request: Request) -> None:
    ppm = request.spike_ppm
    if ppm is not None and not 0 <= ppm <= MAX_SPIKE_PPM:
        raise UsageError("simulate.spike", f"{ppm:g} MSC per million asked for", hint=f"0 to {MAX_SPIKE_PPM:,}")
    for name, given, least in (("batches", request.batches, 0), ("donors", request.donors, 1)):
        if not least <= given <= MAX_SERIES:
            raise UsageError(f"simulate.{name}", f"{given} {name} asked for", hint=f"{least} to {MAX_SERIES}")
    if request.background is None:
        return
    extra = {"companions": bool(request.companions), "a preparation": request.prepared != "whole"}
    extra["a number of events"] = request.n_events is not None
    extra["batches"] = request.batches > 0 or request.donors > 1
    extra["a panel"] = request.panel != STROMA_CORE_8.name
    asked = [name for name, there in extra.items() if there]
    if asked:
        raise UsageError(
            "simulate.background_only",
            f"a real background has its own events, and {' and '.join(asked)} cannot be asked for beside it",
            hint="leave that out, or --background",
        )
    read_header(request.background)


def batch_shift_decades(number: int) -> float:
    """Return how far all detectors of batch ``number`` (from 0) lie from the first one's gain.

    In turn none, 0.15 up, 0.15 down, and half of that: what photomultipliers and their set-up drift by between days.
    """
    return _SHIFTS_DECADES[number % len(_SHIFTS_DECADES)]


def _measured(request: Request, made: Scenario, sample_id: str, donor: str) -> Iterator[tuple[str, str, Scenario]]:
    """Yield name, donor and circumstances of every stained tube of one scenario and seed."""
    for batch in range(max(request.batches, 1)):
        when, of_batch = made, ""
        if request.batches:
            lab = replace(made.lab, gain_shift_decades=made.lab.gain_shift_decades + batch_shift_decades(batch))
            day = made.day + _DAYS_BETWEEN_BATCHES * batch
            when, of_batch = replace(made, lab=lab, batch=f"batch_{batch + 1:02d}", day=day), f"_b{batch + 1:02d}"
            if made.fmo_lab is not None:
                shift = made.fmo_lab.gain_shift_decades + batch_shift_decades(batch)
                when = replace(when, fmo_lab=replace(made.fmo_lab, gain_shift_decades=shift))
        for number in range(1, request.donors + 1):
            of_donor = f"_d{number:02d}" if request.donors > 1 else ""
            yield f"{sample_id}{of_batch}{of_donor}", f"{donor}{of_donor}", when


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
        day=made.day,
    )
    check_order(stained)
    yield stained
    for role in dict.fromkeys(request.companions):
        is_fmo = role.startswith("fmo:")
        frac = made.fmo_frac if is_fmo else _OTHER_FRAC
        in_proportion = max(1, round(frac * n_events))
        companion = replace(
            stained,
            scenario=replace(made, lab=made.fmo_lab) if is_fmo and made.fmo_lab is not None else made,
            sample_id=f"{sample_id}_{_NOT_IN_A_NAME.sub('_', role)}",
            role=role,
            n_events=in_proportion if request.companion_events is None else request.companion_events,
            day=made.day + (made.fmo_days_later if is_fmo else 0),
            batch=made.fmo_batch if is_fmo and made.fmo_batch else made.batch,
        )
        check_order(companion)
        if frac > 0 and role != "stained":
            yield companion
