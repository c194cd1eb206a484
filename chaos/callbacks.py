"""`script/chaos callbacks [--claims N] [--seed S] [--json]`: messages forged, doubled, late and out of order.

The product with the doubles of an insurer, a bank and WeChat Pay, and a hospital's program. Between them stands a post
office. Of each message it first delivers forgeries (altered, another key, six minutes old, WeChat Pay's SIGNTEST) and
what another partner of the same kind says of it; then it holds the message back until its sender tries again, or
delivers it and keeps the answer, repeats it byte for byte, under a new id, and its id with another content. Between
the steps of the claims, and at the end, everything so far is said once more in any order. What befalls the n-th message
of a kind is seeded.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from dataclasses import dataclass

from bench.ground import arguments, count, load, report, tell
from chaos import effects
from chaos.letters import Keys
from chaos.post_office import FORGED, PostOffice
from chaos.streets import opened
from chaos.walk import Walk
from tests.app.town import Town


@dataclass(frozen=True)
class Wanted:
    claims: int = 60
    seed: int = 1


def keys_of(town: Town) -> Keys:
    world = town.clinic.world
    hospitals, insurers = [one["agent"] for one in world["hospitals"]], world["insurers"]
    programs = [*hospitals, *insurers, world["bank"]]
    peers = {
        one["partner"]: other["partner"]
        for same in (hospitals, insurers)
        for one, other in zip(same, same[::-1], strict=True)
    }
    return Keys({one["partner"]: one["secret"] for one in programs}, peers, town.wechat.ground.merchants)


def play(town: Town, wanted: Wanted) -> dict[str, object]:
    application, started = town.clinic.client.application, time.monotonic()
    inside = application.wsgi_app
    post = PostOffice(inside, keys_of(town), wanted.seed)
    application.wsgi_app = post  # type: ignore[method-assign]
    try:
        walk = Walk(town, post)
        for number in range(wanted.claims):
            walk.bind()
            walk.submit(number)
        report(f"{wanted.claims} claims submitted")
        walk.finish()
        post.empty_the_attic()
        town.settle_down()
    finally:
        application.wsgi_app = inside  # type: ignore[method-assign]
    return _counted(walk, wanted) | {"took_s": round(time.monotonic() - started, 1), "load": load()}


def _counted(walk: Walk, wanted: Wanted) -> dict[str, object]:
    post, found = walk.post, effects.doubled(walk.town)
    kinds = Counter(letter.kind for letter in post.tape)
    return {
        "name": "callbacks",
        "seed": wanted.seed,
        "claims": wanted.claims,
        "unfinished": walk.unfinished(),
        "messages": post.letters,
        "sent": dict(sorted(post.sent.items())),
        "taken_by_kind": dict(sorted(kinds.items())),
        "forged": sum(post.sent[how] for how in FORGED),
        "forged_taken": sum(post.taken[how] for how in FORGED),
        "answered_wrongly": dict(post.wrong),
        "double_effects": sum(found.values()),
        "doubled": {name: number for name, number in found.items() if number},
        "backwards": effects.backwards(walk.town),
        "dead_tasks": len(walk.town.dead()),
        "naive": effects.naive(post.tape),
    }


def run(wanted: Wanted) -> dict[str, object]:
    with opened() as town:
        return play(town, wanted)


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--claims", type=count, default=Wanted.claims)
    parser.add_argument("--seed", type=int, default=Wanted.seed)
    given = parser.parse_args()
    result = run(Wanted(given.claims, given.seed))
    tell(result, json_alone=given.json)
    wrong = ("unfinished", "forged_taken", "answered_wrongly", "double_effects", "backwards", "dead_tasks")
    if any(result[name] for name in wrong):
        sys.exit(1)


if __name__ == "__main__":
    main()
