"""Boundaries to and from what the browser is sent: plain values, checked on the way in."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

from stromagate.errors import UsageError
from stromagate.gating.geometry import check
from stromagate.model.gates import Geometry, Polygon
from stromagate.pipeline.bundle import first_fault

MOST_CORNERS = 5_000
"""Of an outline that a browser sends: each costs a pass over the events. Own choice, far above what a hand draws."""

_GEOMETRY: TypeAdapter[Geometry] = TypeAdapter(Annotated[Geometry, Field(discriminator="kind")])


def plain_geometry(geometry: Geometry | None) -> dict[str, Any] | None:
    """Return a boundary as the browser has it; display units."""
    return None if geometry is None else asdict(geometry)


def read_geometry(plain: object) -> Geometry | None:
    """Return a boundary that the browser sent; None is the automatic one.

    Raises
    ------
    UsageError
        It is no boundary, or has too many corners to be counted while it is dragged.
    SpecificationError
        It is impossible, as an outline of two corners is.
    """
    if plain is None:
        return None
    try:
        geometry = _GEOMETRY.validate_python(plain)
    except ValidationError as cause:
        raise UsageError(
            "review.geometry", f"this is no boundary: {first_fault(cause)}", hint="load the page again"
        ) from cause
    if isinstance(geometry, Polygon) and len(geometry.vertices) > MOST_CORNERS:
        said = f"an outline has at most {MOST_CORNERS:,} corners, and this one {len(geometry.vertices):,}"
        raise UsageError("review.corners", said, hint="draw it with fewer corners")
    check(geometry)
    return geometry
