"""A mixture led uphill by expectation and maximisation (EM), and where it stands still."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from stromagate.gating.mixtures import Mixture, shared
from stromagate.model.sample import F64

FREEST, TIGHTEST = 1.0, 200.0  # where degrees of freedom are estimated; at 200 a t distribution is as good as normal
MAX_STEPS = 200
CONVERGED = 1e-5  # gain of the mean log-likelihood per event in one step, below which nothing visible moves any more
SMALLEST_WIDTH = 0.01  # of a component's narrowest direction, in widths of all events: no component sits on one value


def climbed(points: F64, start: Mixture, *, estimated: bool = False, max_steps: int = MAX_STEPS) -> Mixture:
    """Return the mixture that EM reaches from a start: where it no longer gains, or after so many steps."""
    model, before = start, -np.inf
    for step, (reached_model, reached) in enumerate(climb(points, start, estimated=estimated)):
        model = reached_model
        if step == max_steps or reached - before < CONVERGED:
            break
        before = reached
    return model


def climb(points: F64, start: Mixture, *, estimated: bool = False) -> Iterator[tuple[Mixture, float]]:
    """Yield every mixture on the way up from a start, with its mean log-likelihood per point, without end.

    The scale of a t component is divided by the sum of its weighted memberships, which climbs faster than dividing by
    that of its memberships and never down either (Liu, Rubin and Wu 1998, doi:10.1093/biomet/85.4.755).
    """
    columns = np.ascontiguousarray(points.T)
    model = start
    while True:
        squared = model.distances(points)
        members, densities = shared(model.log_parts_of(squared))
        yield model, float(densities.mean())
        model = _maximised(columns, model, members, squared, estimated=estimated)


def _maximised(columns: F64, model: Mixture, members: F64, squared: F64, *, estimated: bool) -> Mixture:
    """Return the mixture that is likeliest given the memberships, shape (k, n); columns of shape (p, n)."""
    p, n = columns.shape
    totals = members.sum(axis=1)
    is_t = np.isfinite(model.freedom)[:, None]
    freedom = np.where(is_t, model.freedom[:, None], 1.0)
    pull = np.where(is_t, (freedom + p) / (freedom + squared), 1.0)
    weighted = members * pull
    mass = weighted.sum(axis=1)
    means, scatters, freedoms = model.means.copy(), model.scatters.copy(), model.freedom.copy()
    alive = totals >= p + 1  # one with fewer events has no shape: it keeps the one it has, and its weight fades
    away = np.empty((p, *members.shape))
    for a in range(p):
        means[:, a] = np.where(alive, (weighted * columns[a]).sum(axis=1) / mass, means[:, a])
        away[a] = columns[a] - means[:, a, None]
    for a in range(p):
        along = weighted * away[a]
        for b in range(a + 1):
            crossed = np.where(alive, (along * away[b]).sum(axis=1) / mass, scatters[:, a, b])
            scatters[:, a, b] = scatters[:, b, a] = crossed
    if estimated:
        for i in np.flatnonzero(alive & is_t[:, 0]):
            freedoms[i] = _freedom(float(model.freedom[i]), p, members[i], pull[i])
    weights = np.maximum(totals / n, 1e-12)
    return Mixture(weights / weights.sum(), means, _not_flat(scatters), freedoms)


def _freedom(old: float, p: int, member: F64, pull: F64) -> float:
    """Return the likeliest degrees of freedom of a component, given the pull of its events."""
    from scipy.optimize import brentq
    from scipy.special import psi

    total = float(member.sum())
    spread = float((member * np.log(pull)).sum()) / total - np.log(float((member * pull).sum()) / total)
    spread += float(psi((old + p) / 2)) - np.log((old + p) / 2)

    def slope(freedom: float) -> float:
        return float(np.log(freedom / 2) - psi(freedom / 2) + spread)

    if slope(FREEST) <= 0:
        return FREEST
    return TIGHTEST if slope(TIGHTEST) >= 0 else float(brentq(slope, FREEST, TIGHTEST, xtol=1e-6))


def _not_flat(scatters: F64) -> F64:
    """Return scale matrices no narrower than allowed in any direction, the likeliest of those."""
    least = SMALLEST_WIDTH**2
    values, directions = np.linalg.eigh(scatters)
    flat = values[:, 0] < least
    if not flat.any():
        return scatters
    raised = (directions[:, :, None, :] * directions[:, None, :, :] * np.maximum(values, least)[:, None, None, :]).sum(
        axis=-1
    )
    return np.where(flat[:, None, None], raised, scatters)
