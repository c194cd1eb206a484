"""`python -m demo`: one business day on this machine, from nothing, and then a look at it."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from contextlib import suppress
from typing import Any

from app.core.local_server import EmbeddedServerError
from app.core.places import PlaceError
from demo import arguments, expect, result
from demo import stack as stacks
from demo.database import DemoProblem
from demo.day import script
from demo.day.context import opened
from demo.day.http import DayBroken, Refused
from demo.place import Options, Place
from demo.screen import Screen
from demo.supervisor import ProgramFailed
from mock_partners.his.synthea import SampleProblem

PROBLEMS = (
    *(DemoProblem, DayBroken, Refused, ProgramFailed, EmbeddedServerError, PlaceError, FileNotFoundError),
    SampleProblem,
)
STORED = "This day has been played before; --fresh plays it again."
EXIT_OK, EXIT_BROKEN, EXIT_CANNOT = 0, 1, 2
EXIT_INTERRUPTED = 128 + signal.SIGINT


def main(given: list[str] | None = None) -> int:
    """0 the day held, 1 something broke in it, 2 it could not be played, 130 Ctrl-C came before its end."""
    parser = arguments.parser()
    chosen = parser.parse_args(given)
    screen = Screen()
    try:
        place = Place(_options(chosen))
    except OSError as problem:
        parser.error(f"argument --data: {chosen.data} cannot be written to ({problem.strerror}); name another folder")
    try:
        stored = place.read(place.result_file)
        if chosen.once and not chosen.fresh and not chosen.no_day and stored is not None:
            screen.say(STORED)
            return _show(stored, chosen, screen)
        return _play(place, chosen, screen)
    except PROBLEMS as problem:
        screen.problem(str(problem), place.logs)
        return EXIT_CANNOT
    except KeyboardInterrupt:
        screen.say("stopped before the day's end")
        return EXIT_INTERRUPTED
    finally:
        place.release()


def _play(place: Place, chosen: argparse.Namespace, screen: Screen) -> int:
    with stacks.started(place, screen.step) as stack:
        status = EXIT_OK if chosen.no_day else _day(stack, chosen, screen)
        if not chosen.once:
            screen.urls(stack)
            with suppress(KeyboardInterrupt):
                stack.supervisor.wait()
            screen.say("stopping")
        return status


def _day(stack: stacks.Stack, chosen: argparse.Namespace, screen: Screen) -> int:
    """Play the day, or show the one that was played."""
    place = stack.place
    stored = place.read(place.result_file)
    if stored is not None:
        screen.say(STORED)
    else:
        stored = _play_day(stack, screen)
        place.write(place.result_file, stored)
    return _show(stored, chosen, screen)


def _show(stored: dict[str, Any], chosen: argparse.Namespace, screen: Screen) -> int:
    if chosen.json:
        result.write(chosen.json, stored["result"])
    screen.summary(stored["result"], stored["problems"])
    return EXIT_BROKEN if stored["problems"] else EXIT_OK


def _play_day(stack: stacks.Stack, screen: Screen) -> dict[str, Any]:
    stack.place.write(stack.place.begun_file, {"business_date": stack.world["business_date"]})
    with opened(stack) as day:
        seconds = script.play(day, screen.step)
    screen.step("looking at what the day has left")
    found = result.collect(stack, seconds)
    return {"result": found, "problems": result.broken(found, _expected(stack))}


def _expected(stack: stacks.Stack) -> dict[str, int]:
    """What the hospitals' data and the world alone say the day must come to."""
    urls = [hospital["his_database_url"] for hospital in stack.world["hospitals"]]
    folder = stack.place.options.his_data
    records = expect.synthea_records(folder, urls[0]) if folder else expect.builtin_records(urls)
    accounts = [app for app in stack.world["wechat"]["apps"] if app["kind"] == "oa"]
    return expect.expected(stack.people, records) | {"menus": len(accounts)}


def _options(chosen: argparse.Namespace) -> Options:
    return Options(
        business_date=chosen.date,
        patients=chosen.patients,
        his_data=chosen.his_data,
        fresh=chosen.fresh,
        data=chosen.data,
        database_url=os.environ.get("DATABASE_URL", ""),
        redis_url=os.environ.get("REDIS_URL", ""),
    )


if __name__ == "__main__":
    sys.exit(main())
