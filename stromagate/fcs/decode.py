"""Bytes of whole events to stored values: one view where all columns are alike, byte by byte where they are not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stromagate.errors import InputError
from stromagate.fcs.layout import Column, Layout
from stromagate.fcs.scale import Scaling, scale
from stromagate.model.sample import F32

U8 = NDArray[np.uint8]
_NATIVE_WIDTHS = {1, 2, 4, 8}
_FOLD = 64
_LETTERS = {"I": "u", "F": "f", "D": "f"}


def native_type(column: Column) -> np.dtype[Any]:
    """Return the narrowest native type that holds every stored value of the column."""
    if column.kind == "A":
        return np.dtype(np.uint64)
    width = next(width for width in (1, 2, 4, 8) if width >= column.width)
    return np.dtype(f"={_LETTERS[column.kind]}{width}")


def common_type(layout: Layout) -> np.dtype[Any] | None:
    """Return the type, in the file's byte order, that all columns share; None where they differ or none fits."""
    first = layout.columns[0]
    alike = all((c.kind, c.width, c.order) == (first.kind, first.width, first.order) for c in layout.columns)
    if not alike or first.kind == "A" or first.width not in _NATIVE_WIDTHS or not (first.little or first.big):
        return None
    return np.dtype(f"{'<' if first.little else '>'}{_LETTERS[first.kind]}{first.width}")


def stored_matrix(layout: Layout, common: np.dtype[Any], block: U8) -> NDArray[Any]:
    """Turn a block of events of one type into native stored values **in place**.

    Parameters
    ----------
    layout : Layout
        Columns of one type.
    common : dtype
        What ``common_type`` says of them.
    block : ndarray of uint8, shape (n_events * stride,)
        Bytes; overwritten.

    Returns
    -------
    ndarray, shape (n_events, n_channels)
        View of ``block``.
    """
    native = common.newbyteorder("=")
    flat = block.view(native)
    if not common.isnative:
        flat.byteswap(inplace=True)
    matrix = flat.reshape(-1, len(layout.columns))
    if any(column.mask is not None for column in layout.columns):
        full = (1 << (8 * common.itemsize)) - 1
        masks = [full if column.mask is None else column.mask for column in layout.columns]
        np.bitwise_and(matrix, np.array(masks, dtype=native), out=matrix)
    return matrix


def stored_column(block: U8, column: Column) -> NDArray[Any]:
    """Return native stored values of one column.

    Parameters
    ----------
    block : ndarray of uint8, shape (n_events, stride)
        Bytes of whole events.
    column : Column
        Where the value stands and how.

    Returns
    -------
    ndarray, shape (n_events,)
        New array of ``native_type``.
    """
    if column.kind == "A":
        return _ascii_column(block, column)
    native = native_type(column)
    if native.itemsize == column.width and (column.little or column.big):
        in_file = native.newbyteorder("<" if column.little else ">")
        values: NDArray[Any] = np.ndarray(
            (len(block),), in_file, buffer=block.data, offset=column.offset, strides=(block.strides[0],)
        ).astype(native)
    else:
        bytes_up = np.zeros((len(block), native.itemsize), dtype=np.uint8)
        for place, significance in enumerate(column.order):
            bytes_up[:, significance] = block[:, column.offset + place]
        values = bytes_up.view(native.newbyteorder("<"))[:, 0].astype(native)
    if column.mask is not None:
        values &= native.type(column.mask)
    return values


def scale_values(layout: Layout, scalings: Sequence[Scaling], block: U8, out: F32) -> None:
    """Decode a block and write its scale values.

    Parameters
    ----------
    layout : Layout
        The event in bytes.
    scalings : sequence of Scaling
        One a column.
    block : ndarray of uint8, shape (n_events * stride,)
        Bytes; overwritten.
    out : ndarray of float32, shape (n_events, n_channels)
        Receives the values, in any memory order.
    """
    common = common_type(layout)
    # Values beyond float32 become infinite and are counted as not finite; NaNs travel as they are.
    with np.errstate(over="ignore", invalid="ignore"):
        if common is None:
            rows = block.reshape(-1, layout.stride)
            for index, (column, scaling) in enumerate(zip(layout.columns, scalings, strict=True)):
                out[:, index] = scale(stored_column(rows, column), scaling)
            return
        matrix = stored_matrix(layout, common, block)
        out[...] = matrix
        for index, scaling in enumerate(scalings):
            if scaling.kind != "none":
                out[:, index] = scale(matrix[:, index], scaling)


def count_masked(layout: Layout, block: U8, counts: NDArray[np.int64]) -> None:
    """Count, per column, the events of a block that have bits set which the mask of ``$PnR`` takes away.

    Parameters
    ----------
    layout : Layout
        The event in bytes.
    block : ndarray of uint8, shape (n_events * stride,)
        Bytes, not decoded yet; left as they are.
    counts : ndarray of int64, shape (n_channels,)
        Added to.
    """
    masked = [index for index, column in enumerate(layout.columns) if column.mask is not None]
    if not masked:
        return
    common = common_type(layout)
    if common is None:
        rows = block.reshape(-1, layout.stride)
        for index in masked:
            column = layout.columns[index]
            stored = stored_column(rows, replace(column, mask=None))
            counts[index] += np.count_nonzero(stored > stored.dtype.type(column.mask))
        return
    full = (1 << (8 * common.itemsize)) - 1
    beyond = [0 if column.mask is None else full ^ column.mask for column in layout.columns]
    # In the file's byte order: nothing has to be swapped to see whether a bit is set.
    bits = np.array(beyond, dtype=common).view(common.newbyteorder("="))
    matrix = block.view(bits.dtype).reshape(-1, len(layout.columns))
    if (_bits_set(matrix) & bits).any():
        counts += np.count_nonzero(matrix & bits, axis=0)


def _bits_set(matrix: NDArray[Any]) -> NDArray[Any]:
    """Return the bits set in any event, shape (n_channels,); long rows are five times as fast as short ones."""
    n_channels = matrix.shape[1]
    whole = len(matrix) // _FOLD * _FOLD
    long = np.bitwise_or.reduce(matrix[:whole].reshape(-1, _FOLD * n_channels), axis=0).reshape(_FOLD, n_channels)
    seen: NDArray[Any] = np.bitwise_or.reduce(np.concatenate([long, matrix[whole:]]), axis=0)
    return seen


def without_masks(layout: Layout) -> Layout:
    """Return the layout with every stored bit counted."""
    return replace(layout, columns=tuple(replace(column, mask=None) for column in layout.columns))


def _ascii_column(block: U8, column: Column) -> NDArray[Any]:
    digits = np.ascontiguousarray(block[:, column.offset : column.offset + column.width])
    known = ((digits >= ord("0")) & (digits <= ord("9"))) | (digits == ord(" "))
    try:
        if not known.all():
            raise ValueError
        return digits.view(f"S{column.width}")[:, 0].astype(np.uint64)
    except (ValueError, OverflowError) as cause:
        raise InputError(
            "fcs.datatype", "DATA in ASCII holds something that is no whole number", hint="export it as binary data"
        ) from cause
