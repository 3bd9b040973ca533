"""What a detector could have written: the top of a channel in scale values, and who reached it."""

from __future__ import annotations

import numpy as np

from stromagate.model.sample import Channel, Rows, Sample

# Stored values are compared as float32 after gain and logarithm, so the last bits of the top are not trusted.
_ROUNDING = 1e-6
# $PnR is no ceiling where values pass it by more than this share: many float files state a range they do not keep.
_PASSED = 1.01


def ceiling(sample: Sample, channel: Channel) -> float | None:
    """Return the highest value the channel can hold, in scale values; None where the file's range says nothing.

    Parameters
    ----------
    sample : Sample
        The tube; its largest value tells whether the stated range was kept.
    channel : Channel
        The column.

    Returns
    -------
    float or None
        ``$PnR - 1`` after logarithm or gain.
    """
    if not np.isfinite(channel.range_top) or channel.range_top <= 1 or not sample.n_events:
        return None
    stored = channel.range_top - 1
    if channel.log_decades is not None and channel.log_offset is not None:
        top = channel.log_offset * 10 ** (channel.log_decades * stored / channel.range_top)
    else:
        top = stored / (channel.gain if sample.gain == "apply" else 1.0)
    with np.errstate(invalid="ignore", over="ignore"):  # a range near the largest float32 is passed by none
        passed = bool((sample.events[:, channel.index] > top * _PASSED).any())
    return None if passed else float(top)


def at_ceiling(sample: Sample, channel: Channel, rows: Rows) -> float | None:
    """Return the percentage of the rows that lie at the top of the channel; None where its range says nothing."""
    top = ceiling(sample, channel)
    if top is None or not rows.size:
        return None
    with np.errstate(invalid="ignore"):
        reached = sample.events[rows, channel.index] >= np.float32(top * (1 - _ROUNDING))
    return 100.0 * int(np.count_nonzero(reached)) / rows.size
