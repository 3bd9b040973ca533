"""Memberships over many variants of a boundary at once: one bit a variant, so that a gate is an ``and`` of words."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stromagate.gating.geometry import Mask
from stromagate.model.sample import F64

Bits = NDArray[np.uint64]
"""Shape (n_words, n_events), little-endian: bit ``k % 64`` of word ``k // 64`` says if variant k holds an event."""

_WORD = 64


def n_words(n_variants: int) -> int:
    """Return how many words hold a bit for each variant."""
    return -(-n_variants // _WORD)


def everywhere(n_variants: int) -> Bits:
    """Return the words of an event that every variant holds, shape (n_words, 1); bits beyond the last are 0."""
    return packed(np.ones((1, n_variants), dtype=np.bool_))


def packed(held: Mask) -> Bits:
    """Return flags, shape (n_events, n_variants), as bits."""
    n, k = held.shape
    padded = np.zeros((n, _WORD * n_words(k)), dtype=np.bool_)
    padded[:, :k] = held
    return np.ascontiguousarray(np.packbits(padded, axis=1, bitorder="little").view("<u8").T)


def totals(bits: Bits, n_variants: int) -> NDArray[np.int64]:
    """Return the number of events that each variant holds, shape (n_variants,)."""
    always = (bits == everywhere(n_variants)).all(axis=0)
    sometimes = np.ascontiguousarray(bits[:, ~always & bits.any(axis=0)].T)
    flags = np.unpackbits(sometimes.view(np.uint8), axis=1, bitorder="little")
    counted: NDArray[np.int64] = flags.sum(axis=0, dtype=np.uint32)[:n_variants].astype(np.int64)
    return counted + np.count_nonzero(always)


class Ladder:
    """One edge in many variants: which of them lie at or below a value is a matter of its rank among them.

    Parameters
    ----------
    edges : ndarray of float64, shape (n_variants,)
        Where each variant has the edge.
    """

    def __init__(self, edges: F64) -> None:
        order = np.argsort(edges, kind="stable")
        self._sorted = edges[order]
        ranks = np.empty(edges.size, dtype=np.intp)
        ranks[order] = np.arange(edges.size)
        self._table = packed(ranks[None, :] < np.arange(edges.size + 1)[:, None])

    def at_or_below(self, values: F64) -> Bits:
        """Return the variants whose edge lies at or below each value, shape (n_words, n_events)."""
        return self._table.take(np.searchsorted(self._sorted, values, side="right"), axis=1)

    def below(self, values: F64) -> Bits:
        """Return the variants whose edge lies below each value, shape (n_words, n_events)."""
        return self._table.take(np.searchsorted(self._sorted, values, side="left"), axis=1)
