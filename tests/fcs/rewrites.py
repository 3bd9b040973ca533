"""Legal rewrites: other bytes, the same names and events. A reader must read each of them, exactly."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import replace

from tests.fcs.assemble import Plan, assemble, plan_of
from tests.fcs.legal_files import COLLISIONS
from tests.fcs.seeds import Seed
from tests.fcs.words import byte_order

Rewrite = Callable[[random.Random, Plan], Plan]


def rewritten(name: str, rng: random.Random, seed: Seed) -> bytes:
    """Return the seed's file in other, equally legal bytes."""
    return assemble(REWRITES[name](rng, plan_of(seed.parts)))


def other_delimiter(rng: random.Random, plan: Plan) -> Plan:
    """Use a delimiter that no word begins with."""
    words = [word for pair in (*plan.text, *plan.stext) for word in pair]
    marks = [mark for mark in "+?([.^|\\*/!;~\x0c\x1e\t" if not any(word.startswith(mark) for word in words)]
    return replace(plan, delimiter=rng.choice(marks))


def reorder(rng: random.Random, plan: Plan) -> Plan:
    """Shuffle the keywords."""
    return replace(plan, text=tuple(rng.sample(plan.text, len(plan.text))))


def other_case(rng: random.Random, plan: Plan) -> Plan:
    """Write keywords in another case."""
    case = rng.choice((str.lower, str.upper, str.title))
    return replace(plan, text=tuple((case(key), value) for key, value in plan.text))


def collide(rng: random.Random, plan: Plan) -> Plan:
    """Add private keywords that are called like standard ones."""
    taken = {key.upper() for key, _ in (*plan.text, *plan.stext)}
    free = [pair for pair in COLLISIONS if pair[0] not in taken and not pair[1].startswith(plan.delimiter)]
    text = list(plan.text)
    for pair in rng.sample(free, rng.randint(1, len(free))):
        text.insert(rng.randrange(len(text) + 1), pair)
    return replace(plan, text=tuple(text))


def other_order(rng: random.Random, plan: Plan) -> Plan:
    """Let segments stand in another order."""
    return replace(
        plan, order=rng.choice((("data", "text", "stext"), ("stext", "text", "data"), ("data", "stext", "text")))
    )


def blanks(rng: random.Random, plan: Plan) -> Plan:
    """Leave blanks before DATA."""
    return replace(plan, gap=rng.choice((1, 2, 8, 58, 1000)))


def tail(rng: random.Random, plan: Plan) -> Plan:
    """End with a checksum, with none, or with blanks."""
    if plan.version == "2.0":
        return plan
    return rng.choice((replace(plan, crc=True), replace(plan, tail=b"00000000"), replace(plan, tail=b" " * 8)))


def analysis(rng: random.Random, plan: Plan) -> Plan:
    """Add an ANALYSIS segment of anything."""
    return replace(plan, analysis=rng.randbytes(rng.randint(1, 60)))


def into_stext(rng: random.Random, plan: Plan) -> Plan:
    """Move optional keywords into supplemental TEXT."""
    if plan.version == "2.0":
        return plan
    optional = [pair for pair in plan.text if not pair[0].startswith("$") or re.fullmatch(r"\$P\d+[SV]", pair[0])]
    moved = (*rng.sample(optional, rng.randint(0, len(optional))), ("A NOTE", "x"))
    if any(pair[0] == "A NOTE" for pair in plan.stext):
        return plan
    kept = tuple(pair for pair in plan.text if pair not in moved)
    return replace(plan, text=kept, stext=plan.stext + moved)


def zero_pad(rng: random.Random, plan: Plan) -> Plan:
    """Write numbers with leading zeros."""
    wanted = re.compile(r"\$(TOT|PAR|P\d+[BR])", re.IGNORECASE)
    text = [
        (
            key,
            "0" * rng.randint(0, 5) + value if wanted.fullmatch(key) and value.isdigit() and len(value) < 12 else value,
        )
        for key, value in plan.text
    ]
    return replace(plan, text=tuple(text))


def other_byte_order(_rng: random.Random, plan: Plan) -> Plan:
    """Turn all words round."""
    found = {key.upper(): value for key, value in plan.text}
    order = found["$BYTEORD"].split(",")
    if order not in (sorted(order), sorted(order, reverse=True)):
        return plan
    sizes = [int(found[f"$P{n}B"]) // 8 for n in range(1, int(found["$PAR"]) + 1)]
    turned, position = bytearray(), 0
    while position < len(plan.data):
        for size in sizes:
            word = plan.data[position : position + size]
            turned += bytes(word[place] for place in byte_order("4,3,2,1", size))
            position += size
    text = [(key, ",".join(order[::-1]) if key.upper() == "$BYTEORD" else value) for key, value in plan.text]
    return replace(plan, text=tuple(text), data=bytes(turned))


REWRITES: dict[str, Rewrite] = {
    f"e_{rewrite.__name__}": rewrite
    for rewrite in (
        other_delimiter,
        reorder,
        other_case,
        collide,
        other_order,
        blanks,
        tail,
        analysis,
        into_stext,
        zero_pad,
        other_byte_order,
    )
}
