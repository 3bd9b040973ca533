"""What went into a tube: which antibodies of its panel, by the role that the sample sheet gives it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stromagate.errors import SpecificationError, did_you_mean
from stromagate.simulate.panel import STROMA_CORE_8, VIABILITY, Panel


@dataclass(frozen=True, slots=True)
class Stain:
    """What went into a tube: one flag an antibody (in the order of ``panel.antibodies``), and the viability dye.

    ``binds`` is the place in ``panel.antigens`` of what each antibody really binds.
    """

    antibodies: tuple[bool, ...]
    viability: bool
    binds: tuple[int, ...]
    panel: Panel = STROMA_CORE_8

    def mask(self) -> NDArray[np.bool_]:
        """Return the flags as an array, shape (n_antibodies,)."""
        return np.array(self.antibodies, dtype=np.bool_)


def binding(panel: Panel) -> tuple[int, ...]:
    """Return the place in ``panel.antigens`` of what each antibody is meant to bind."""
    places = {antigen: place for place, antigen in enumerate(panel.antigens)}
    return tuple(places[antibody.antigen] for antibody in panel.antibodies)


def stain_for(role: str, panel: Panel = STROMA_CORE_8) -> Stain:
    """Return the reagents of a tube by its role in the sample sheet.

    Parameters
    ----------
    role : str
        ``stained``, ``unstained``, ``fmo:MARKER`` (everything but that marker) or ``comp:CHANNEL`` (that dye alone).

    Raises
    ------
    SpecificationError
        No such role, or the panel does not have the marker or channel.
    """
    kind, _, what = role.partition(":")
    if role in {"stained", "unstained"}:
        full = role == "stained"
        return Stain((full,) * len(panel.antibodies), full, binding(panel), panel)
    by_marker = {detector.marker: detector.pnn for detector in panel.detectors}
    by_channel = {detector.pnn: detector.pnn for detector in panel.detectors}
    pnn = {"fmo": by_marker, "comp": by_channel}.get(kind, {}).get(what)
    if pnn is None:
        options = [f"fmo:{marker}" for marker in by_marker] + [f"comp:{channel}" for channel in by_channel]
        hint = did_you_mean(role, ["stained", "unstained", *options])
        raise SpecificationError("simulate.role", f"no tube of this panel has the role '{role}'", hint=hint)
    alone = kind == "comp"
    return Stain(
        tuple((antibody.pnn == pnn) == alone for antibody in panel.antibodies),
        (by_marker[VIABILITY] == pnn) == alone,
        binding(panel),
        panel,
    )
