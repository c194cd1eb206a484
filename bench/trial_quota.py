"""`script/bench trial_quota [--rounds N] [--confirm] [--quick] [--json]`: at most n trials in any window, and all used.

Four greedy processes with wrong clocks, random delays and kills admit a line of patients through PostgreSQL; the
interface's double stamps every arrival. Arms take turns within a round: ours, ours against a slow interface, and a
fixed-window counter in Redis, which must let too many through. Rounds have windows of six seconds; one run of four
minutes has the real sixty (`--confirm`: that run alone; `--quick`: without it). What a place is held for counts as
used, also after a lost answer: the bound is n per window plus the uncertainty of the arrival.
"""

from __future__ import annotations

import json
import math
import multiprocessing
import random
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import psycopg

from bench import interface, patients, trial_quota_line, trial_quota_workers
from bench.ground import Ground, arguments, count, libpq, load, report, runtime_on, servers, tell
from bench.interface import AT_ONCE, SLOW
from bench.patients import Town
from bench.quota_decision import Decision, time_decisions
from bench.trial_quota_line import Use
from bench.trial_quota_workers import Post

PROCESSES = 4
SKEWS_S = (-90.0, -2.0, 2.0, 90.0)
_FORK = multiprocessing.get_context("fork")  # a killed process is replaced in milliseconds


@dataclass(frozen=True)
class Plan:
    """One arm: n in `window_s`, for `seconds`; a kill and a lost answer about every `kill_every_s`."""

    name: str
    n: int
    window_s: float
    seconds: float
    latency: Mapping[str, Any]
    kill_every_s: float = 4.0
    jitter_s: float = 0.3


@dataclass(frozen=True)
class Found:
    """What the double saw, and what the slots say (None for the baseline)."""

    plan: Plan
    max_in_window: int
    violations: int
    arrivals: int
    kills: int
    use: Use | None

    @property
    def used(self) -> float:
        return self.use.share(self.plan.window_s) if self.use else 0.0

    def in_words(self) -> str:
        text = f"{self.plan.name}: {self.arrivals} arrivals, at most {self.max_in_window} of {self.plan.n} in a window"
        if self.use is not None:
            text += f", used {self.used:.4f} ({self.use.bare_share:.4f} of {self.plan.window_s:g} s windows, one turn"
            text += f" {self.use.turn_s:.2f} s), {self.kills} kills"
        return text


@dataclass(frozen=True)
class Scene:
    """Servers, and a database in which everybody stands in line: each arm gets a copy of it."""

    ground: Ground
    town: Town
    line_url: str


def run_ours(scene: Scene, plan: Plan) -> Found:
    database_url = scene.ground.new_database(scene.line_url)
    try:
        with psycopg.connect(libpq(database_url), autocommit=True) as connection:
            limit = json.dumps({"n": plan.n, "window_s": plan.window_s})
            connection.execute("UPDATE party SET config = %s::jsonb WHERE code = 'M1'", [limit])
        with interface.started(plan.n, plan.window_s, plan.latency) as double:
            post = Post(double.url, double.treatment, plan.jitter_s, database_url=database_url,
                        interface_id=scene.town.interface_id, partner_id=scene.town.partner_id)  # fmt: skip
            posts = [replace(post, skew_s=skew_s) for skew_s in SKEWS_S]

            kills, use = _let_run(plan, trial_quota_workers.ours, posts, double.lose_answers,
                                  lambda: trial_quota_line.begin(database_url, scene.town.interface_id),
                                  lambda: trial_quota_line.use(database_url))  # fmt: skip
            return _found(plan, double, kills, use)
    finally:
        scene.ground.drop(database_url)


def run_baseline(scene: Scene, plan: Plan) -> Found:
    with interface.started(plan.n, plan.window_s, plan.latency) as double:
        post = Post(double.url, double.treatment, plan.jitter_s, redis_url=scene.ground.redis_url, n=plan.n,
                    window_s=plan.window_s)  # fmt: skip
        posts = [post] * PROCESSES
        kills, _ = _let_run(plan, trial_quota_workers.baseline, posts, double.lose_answers, double.wait_for_one,
                            lambda: None)  # fmt: skip
        return _found(plan, double, kills, None)


def _found(plan: Plan, double: interface.Interface, kills: int, use: Use | None) -> Found:
    arrivals = double.arrivals()
    most = interface.max_in_window(arrivals, plan.window_s)
    return Found(plan, most, double.violations(), len(arrivals), kills, use)


def _let_run(
    plan: Plan,
    target: Callable[[Post], None],
    posts: list[Post],
    lose_answers: Callable[[int], None],
    begin: Callable[[], None],
    end: Callable[[], Use | None],
) -> tuple[int, Use | None]:
    """Start the processes, kill one now and then and put another in its place; (kills, what `end` found)."""
    dice = random.Random(plan.name)
    running = [_start(target, post) for post in posts]
    time.sleep(0.5)
    begin()
    kills, ends_s = 0, time.monotonic() + plan.seconds
    try:
        while (left_s := ends_s - time.monotonic()) > 0:
            time.sleep(min(left_s, dice.uniform(0.5, 1.5) * plan.kill_every_s))
            if time.monotonic() >= ends_s:
                break
            lose_answers(1)
            victim = dice.randrange(len(running))
            running[victim].kill()
            running[victim].join()
            running[victim] = _start(target, posts[victim])
            kills += 1
        return kills, end()
    finally:
        for process in running:
            process.kill()
            process.join()


def _start(target: Callable[[Post], None], post: Post) -> Any:
    process = _FORK.Process(target=target, args=(post,), daemon=True)
    process.start()
    return process


@dataclass(frozen=True)
class Options:
    """How long to measure; the defaults are the benchmark's, smaller ones are for its test."""

    n: int = 100
    window_s: float = 6.0
    windows: int = 3
    rounds: int = 5
    confirm_s: float = 240.0
    decisions: int = 300
    jitter_s: float = 0.3


def run(options: Options) -> dict[str, Any]:
    with servers() as ground:
        report("entering the patients and their line")
        scene = _scene(ground, options)
        rounds = [_round(scene, options) for _ in range(options.rounds)]
        confirmed = _confirm(scene, options) if options.confirm_s else None
        report("timing decisions beside a round trip")
        decision = time_decisions(ground, scene.line_url, options.decisions)
    return _result(options, rounds, confirmed, decision)


def _scene(ground: Ground, options: Options) -> Scene:
    line_url = ground.new_database()
    runtime = runtime_on(line_url)
    turns = max(options.windows, options.confirm_s / 60) + 1.6
    town = patients.settle(runtime, int(options.n * turns), n=options.n)
    trial_quota_line.fill(runtime, town)
    runtime.database.dispose()
    return Scene(ground, town, line_url)


def _round(scene: Scene, options: Options) -> list[Found]:
    seconds = options.windows * options.window_s
    plan = Plan("ours", options.n, options.window_s, seconds, AT_ONCE, seconds / 4, options.jitter_s)
    slow = replace(plan, name="ours, slow interface", latency=SLOW)
    # Nobody is killed here: it breaks n by itself.
    counter = replace(plan, name="fixed-window counter", seconds=1.5 * options.window_s, kill_every_s=math.inf)
    found = []
    for arm, its_plan in ((run_ours, plan), (run_ours, slow), (run_baseline, counter)):
        found.append(arm(scene, its_plan))
        report(found[-1].in_words())
    return found


def _confirm(scene: Scene, options: Options) -> Found:
    report(f"one run of {options.confirm_s:g} s with windows of 60 s")
    found = run_ours(scene, Plan("ours, a minute", options.n, 60.0, options.confirm_s, AT_ONCE, kill_every_s=5.0))
    report(found.in_words())
    return found


def _result(options: Options, rounds: list[list[Found]], confirmed: Found | None, decision: Decision) -> dict[str, Any]:
    quick, slow, other = ([one[arm] for one in rounds] for arm in range(3)) if rounds else ([], [], [])
    ours = [*quick, *slow, *([confirmed] if confirmed else [])]
    return {
        "name": "trial_quota",
        "n": options.n,
        "rounds": len(rounds),
        "max_in_window": max(one.max_in_window for one in ours),
        "violations": sum(one.violations for one in ours),
        "used": round(min(statistics.median(one.used for one in arm) for arm in _arms(quick, confirmed)), 4),
        "used_slow": round(statistics.median(one.used for one in slow), 4) if slow else None,
        "used_minute": round(confirmed.used, 4) if confirmed else None,
        "kills": sum(one.kills for one in ours),
        "arrivals": sum(one.arrivals for one in ours),
        "baseline_max_in_window": max((one.max_in_window for one in other), default=None),
        "decision_ratio": round(decision.ratio, 3),
        "decision_ms": round(decision.decision_s * 1000, 3),
        "round_trip_ms": round(decision.round_trip_s * 1000, 3),
        "load": load(),
    }


def _arms(quick: list[Found], confirmed: Found | None) -> list[list[Found]]:
    return [arm for arm in (quick, [confirmed] if confirmed else []) if arm]


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--rounds", type=count, default=5)
    parser.add_argument("--confirm", action="store_true", help="only the run with windows of sixty seconds")
    parser.add_argument("--quick", action="store_true", help="without the run with windows of sixty seconds")
    given = parser.parse_args()
    options = Options(rounds=0 if given.confirm else given.rounds, confirm_s=0.0 if given.quick else 240.0)
    result = run(options)
    tell(result, json_alone=given.json)


if __name__ == "__main__":
    main()
