"""Which seeds and which family of tubes may be tuned on, and which figures are reported from; the two never meet.

The rule: templates, methods, checks and simulator may be changed while looking at tubes of ``TUNING_SEEDS``. Tubes of
``SCORING_SEEDS`` are scored, and their figures reported, whatever they are; nobody looks into one to mend what it
shows. They are also of another family: other tails of every antigen, other spillover, other voltages. To understand a
failure, find one like it among the tuning seeds. Once scoring seeds have been looked into, move ``SCORING_SEEDS`` to a
block that nobody has seen.
"""

from __future__ import annotations

from collections.abc import Sequence

TUNING_SEEDS = range(1, 1000)
SCORING_SEEDS = range(5001, 6000)
TUNING_FAMILY, SCORING_FAMILY = "a", "b"


def chosen_seeds(text: str | None, *, tuning: bool, default: int) -> list[int]:
    """Return the seeds that are asked for.

    Parameters
    ----------
    text : str or None
        Numbers and spans (``5001-5004,5010``); None for the first ``default`` of the block.
    tuning : bool
        Whether seeds of the tuning block are wanted, and only those.

    Raises
    ------
    ValueError
        A seed is of the other block or of none, or the text is no list of numbers.
    """
    block, name = (TUNING_SEEDS, "tuning") if tuning else (SCORING_SEEDS, "scoring")
    seeds = list(block[:default]) if text is None else _listed(text)
    strangers = [seed for seed in seeds if seed not in block]
    if strangers:
        advice = "" if tuning or not all(seed in TUNING_SEEDS for seed in strangers) else "; say --tuning to look at it"
        message = f"seed {strangers[0]} is no {name} seed ({block[0]} to {block[-1]}){advice}"
        raise ValueError(message)
    return seeds


def spans(seeds: Sequence[int]) -> str:
    """Return seeds as short text, such as ``5001-5008``."""
    ordered = sorted(set(seeds))
    starts = [seed for seed in ordered if seed - 1 not in ordered]
    ends = [seed for seed in ordered if seed + 1 not in ordered]
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in zip(starts, ends, strict=True))


def _listed(text: str) -> list[int]:
    seeds: list[int] = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()):
            message = f"'{text}' is no list of seeds such as 5001-5004,5010"
            raise ValueError(message)
        found = range(int(first), int(last if dash else first) + 1)
        if not found:
            message = f"the span {part.strip()} runs backwards"
            raise ValueError(message)
        seeds.extend(found)
    return list(dict.fromkeys(seeds))
