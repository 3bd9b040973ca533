"""A file with everything checked and nothing decoded: what a header says, and events block by block."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from stromagate.errors import InputError, UsageError
from stromagate.fcs.channels import build_channels, scalings, timestep_s
from stromagate.fcs.data_place import find_data
from stromagate.fcs.datasets import DataSet, choose
from stromagate.fcs.decode import common_type, scale_values, stored_matrix
from stromagate.fcs.evidence import Ground
from stromagate.fcs.keywords import join
from stromagate.fcs.layout import Layout, build_layout
from stromagate.fcs.limits import MAX_DATA_BYTES, MAX_EVENTS
from stromagate.fcs.repairs import Departures
from stromagate.fcs.scale import Scaling, scale
from stromagate.fcs.segments import Span
from stromagate.fcs.source import ByteSource, Fingerprint, opened
from stromagate.fcs.spillover import parse_spillover
from stromagate.fcs.surroundings import Surroundings, check_tail, supplement, survey
from stromagate.model.sample import (
    F32,
    Channel,
    GainConvention,
    Policy,
    Repair,
    SourceRef,
    Spillover,
    Verdict,
)

BLOCK_ROWS = 32_768


@dataclass(frozen=True, slots=True)
class FcsHeader:
    """What a data set says of itself, checked; no events."""

    channels: tuple[Channel, ...]
    n_events: int
    version: str
    keywords: Mapping[str, str]
    spillover: Spillover
    source: SourceRef
    policy: Policy
    repairs: tuple[Repair, ...]
    verdict: Verdict
    timestep_s: float | None


@dataclass(frozen=True, slots=True)
class FcsFile(FcsHeader):
    """A data set ready to be decoded.

    ``begin`` is the first byte of DATA in the file. The file is opened anew for every pass and must not have changed.
    """

    gain: GainConvention
    layout: Layout
    scalings: tuple[Scaling, ...]
    begin: int
    fingerprint: Fingerprint

    def blocks(self, rows: int = BLOCK_ROWS) -> Iterator[F32]:
        """Yield the events in order, block by block.

        Parameters
        ----------
        rows : int
            Events a block.

        Yields
        ------
        ndarray of float32, shape (n_rows, n_channels), C order
            Scale values. **Valid until the next step only**: one buffer is used again and again.

        Raises
        ------
        InputError
            ``file.changed`` where the file is not what it was when it was opened.
        """
        if rows < 1:
            raise UsageError("usage.rows", f"blocks of {rows} events are not possible", hint="give 1 or more")
        common = common_type(self.layout)
        in_place = common is not None and common.kind == "f" and common.itemsize == 4
        out = None if in_place else np.empty((min(rows, max(self.n_events, 1)), len(self.channels)), dtype=np.float32)
        for _, block in self.byte_blocks(rows):
            if out is not None:
                values = out[: len(block) // self.layout.stride]
                scale_values(self.layout, self.scalings, block, values)
                yield values
            elif common is not None:
                yield self._scaled_in_place(stored_matrix(self.layout, common, block))

    def byte_blocks(self, rows: int = BLOCK_ROWS) -> Iterator[tuple[int, np.ndarray[tuple[int], np.dtype[np.uint8]]]]:
        """Yield the first event's number and the bytes of each block, in one buffer that is used again and again."""
        stride = self.layout.stride
        with opened(self.source.path) as source:
            source.require_unchanged(self.fingerprint)
            buffer = np.empty(min(rows, self.n_events) * stride, dtype=np.uint8)
            for first in range(0, self.n_events, rows):
                block = buffer[: min(rows, self.n_events - first) * stride]
                source.into(self.begin + first * stride, block.data)
                yield first, block
            source.require_unchanged(self.fingerprint)

    def _scaled_in_place(self, matrix: F32) -> F32:
        with np.errstate(over="ignore", invalid="ignore"):
            for index, scaling in enumerate(self.scalings):
                if scaling.kind != "none":
                    matrix[:, index] = scale(matrix[:, index], scaling)
        return matrix


def open_fcs(
    path: str | os.PathLike[str],
    *,
    policy: Policy = "repair",
    dataset: int | None = None,
    gain: GainConvention = "apply",
) -> FcsFile:
    """Check everything about a file and decode nothing.

    Parameters
    ----------
    path : path
        FCS or LMD file.
    policy : {"strict", "repair", "salvage"}
        What happens to departures from the standard: refused, repaired and noted, or also read as far as whole events
        go where the file is cut or miscounted.
    dataset : int, optional
        Which data set, from 0, of a file that holds several.
    gain : {"apply", "ignore"}
        Whether linear columns are divided by ``$PnG``.

    Raises
    ------
    InputError
        The file is refused; code, reason and what to do.
    """
    if policy not in {"strict", "repair", "salvage"} or gain not in {"apply", "ignore"}:
        raise UsageError(
            "usage.option",
            f"policy {policy!r} with gain {gain!r} is not known",
            hint="policy: strict, repair, salvage; gain: apply, ignore",
        )
    with opened(path) as source:
        chosen, n_datasets, choice = choose(source, dataset, policy)
        departures = Departures(policy, chosen.header.version)
        departures.extend((*choice, *chosen.header.repairs, *chosen.text.repairs))
        return _assemble(source, chosen, n_datasets, departures, gain)


def read_header(path: str | os.PathLike[str], *, dataset: int | None = None, policy: Policy = "repair") -> FcsHeader:
    """Return what a file says of itself: channels, keywords, spillover, repairs.

    Parameters, raises: see ``open_fcs``.
    """
    found = open_fcs(path, policy=policy, dataset=dataset)
    return FcsHeader(**{item.name: getattr(found, item.name) for item in fields(FcsHeader)})


def _assemble(
    source: ByteSource, chosen: DataSet, n_datasets: int, departures: Departures, gain: GainConvention
) -> FcsFile:
    version = chosen.header.version
    if not chosen.text.keywords.get("$NEXTDATA", "").strip():
        departures.add("nextdata.missing", "no $NEXTDATA", "taken as 0", "a required keyword is missing")
    around = survey(chosen, departures)
    keywords = _keywords(source, chosen, around, departures)
    layout = build_layout(keywords, version, departures)
    channels = build_channels(keywords, layout.columns, version, departures)
    step = timestep_s(keywords, departures)
    span = find_data(keywords, Ground(source, chosen, around, layout, channels), departures)
    _guard_size(span, layout)
    check_tail(source, chosen, around, (span, layout.stride), departures)
    source.require_unchanged(source.fingerprint)
    return FcsFile(
        channels=channels,
        n_events=span.n_events,
        version=version,
        keywords=keywords,
        spillover=parse_spillover(keywords, [channel.pnn for channel in channels]),
        source=SourceRef(str(Path(source.path)), source.size, chosen.index, n_datasets),
        policy=departures.policy,
        repairs=departures.repairs,
        verdict=departures.verdict,
        timestep_s=step,
        gain=gain,
        layout=layout,
        scalings=scalings(channels, gain, step),
        begin=chosen.base + span.begin,
        fingerprint=source.fingerprint,
    )


def _keywords(source: ByteSource, chosen: DataSet, around: Surroundings, departures: Departures) -> Mapping[str, str]:
    extra = supplement(source, chosen, around, departures)
    if extra is None:
        return chosen.text.keywords
    departures.extend(extra.repairs)
    keywords, repairs = join(chosen.text.keywords, extra.keywords, chosen.header.version)
    departures.extend(repairs)
    return keywords


def _guard_size(span: Span, layout: Layout) -> None:
    if span.n_events > MAX_EVENTS or span.n_events * layout.stride > MAX_DATA_BYTES:
        raise InputError(
            "fcs.too_big",
            f"{span.n_events:,} events of {layout.stride} bytes are more than the {MAX_EVENTS:,} events or "
            f"{MAX_DATA_BYTES / 1e9:g} GB that are read",
            hint="split the file; the limits stand in stromagate/fcs/limits.py",
        )
