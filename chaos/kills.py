"""`script/chaos kills [--kills N] [--registrations M] [--seed S] [--json]`: SIGKILL at the product's processes.

Web server, workers and scheduler under the supervisor, a hospital's double with its real agent, arrivals at a pace.
Which process dies next is seeded; a kill counts only while the victim holds tasks (a worker) or commands are open (web
server, scheduler, agent). Afterwards the platform's rows are held against the hospital's journal, and a naive baseline
shows that such kills bite.
"""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from dataclasses import dataclass

from bench import stack
from bench.ground import arguments, count, load, report, tell
from bench.recovery import held_by
from bench.stack import Stack
from chaos import counting, naive
from chaos.flow import Flow

VICTIMS = (*stack.WORKERS, *stack.WORKERS, stack.WEB, stack.SCHEDULER, stack.AGENT)
SIGHT_S = 10.0


@dataclass(frozen=True)
class Wanted:
    """What is to be done. A victim that is named twice dies twice as often."""

    kills: int = 20
    registrations: int = 2000
    seed: int = 1
    victims: tuple[str, ...] = VICTIMS
    naive_kills: int = 5


def strike(running: Stack, flow: Flow, victim: str) -> bool:
    """Kill the victim once it is in the middle of something; False if that was not seen in time."""
    end = time.monotonic() + SIGHT_S
    while time.monotonic() < end:
        flow.feed()
        busy = held_by(flow.db, victim) if victim in stack.WORKERS else flow.open_commands
        if busy and running.supervisor.pid(victim):
            running.supervisor.kill(victim)
            return True
        time.sleep(0.005)
    return False


def play(running: Stack, wanted: Wanted, flow: Flow | None = None) -> dict[str, object]:
    kills, registrations, seed = wanted.kills, wanted.registrations, wanted.seed
    pick, struck = random.Random(seed), Counter[str]()
    flow = flow or Flow(running)
    before = flow.expect(registrations)
    started = time.monotonic()
    while struck.total() < kills:
        # Spread over the run, so that registrations flow between them.
        if flow.feed() - before < struck.total() * registrations / (kills + 1):
            running.supervisor.check()
            time.sleep(0.02)
            continue
        victim = pick.choice(wanted.victims)
        if strike(running, flow, victim):
            struck[victim] += 1
            if struck.total() % max(1, kills // 20) == 0:
                took_s = time.monotonic() - started
                report(f"{struck.total()} of {kills} kills, {flow.done} of {registrations} registered, {took_s:.0f} s")
        elif flow.done >= flow.total:
            break
    flow.finish()
    found = counting.count(running, flow.booked, flow.arrivals.accepted)
    report(f"counted: {found.as_dict()}; the baseline runs")
    took_s = time.monotonic() - started
    return {
        "name": "kills",
        "seed": seed,
        "kills": struck.total(),
        "struck": dict(struck),
        "registrations": registrations,
        **found.as_dict(),
        "baseline": {"kills": wanted.naive_kills, "lost": naive.lost(running, wanted.naive_kills)},
        "took_s": round(took_s, 1),
        "load": load(),
    }


def run(wanted: Wanted) -> dict[str, object]:
    with stack.started_anew(whole=True) as running:
        return play(running, wanted)


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--kills", type=count, default=Wanted.kills)
    parser.add_argument("--registrations", type=count, default=Wanted.registrations)
    parser.add_argument("--seed", type=int, default=Wanted.seed)
    given = parser.parse_args()
    result = run(Wanted(given.kills, given.registrations, given.seed))
    tell(result, json_alone=given.json)
    if result["lost"] or result["doubled"] or result["out_of_order"]:
        sys.exit(1)


if __name__ == "__main__":
    main()
