"""Boundaries to and from what the browser is sent: plain values, checked on the way in."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

from stromagate.errors import UsageError
from stromagate.gating.geometry import check
from stromagate.model.gates import Geometry
from stromagate.pipeline.bundle import first_fault

_GEOMETRY: TypeAdapter[Geometry] = TypeAdapter(Annotated[Geometry, Field(discriminator="kind")])


def plain_geometry(geometry: Geometry | None) -> dict[str, Any] | None:
    """Return a boundary as the browser has it; display units."""
    return None if geometry is None else asdict(geometry)


def read_geometry(plain: object) -> Geometry | None:
    """Return a boundary that the browser sent; None is the automatic one.

    Raises
    ------
    UsageError
        It is no boundary.
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
    check(geometry)
    return geometry
