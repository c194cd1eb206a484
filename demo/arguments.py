"""What can be chosen on the command line. What cannot be is told with an example before anything starts (exit 2)."""

from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path

from app.core.clock import Clock
from demo.place import DATA
from mock_partners.his.synthea import TABLES

DESCRIPTION = "One business day on this machine, from nothing; then everything keeps serving until Ctrl-C."
USAGE = "./script/demo [options]; --help lists them"
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2099, 12, 31)
FEWEST_PATIENTS, MOST_PATIENTS = 8, 2000  # with fewer not every case of the day can be shown


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="script/demo", usage=USAGE, description=DESCRIPTION)
    made.add_argument("--once", action="store_true", help="stop after the day instead of serving until Ctrl-C")
    made.add_argument("--fresh", action="store_true", help="forget the day that was played and start over")
    made.add_argument("--json", type=_result_file, metavar="FILE", help="write the result to FILE")
    made.add_argument(
        "--date",
        type=_day,
        default=Clock().today(),
        metavar="DATE",
        help="business date as 2026-11-21; default: today",
    )
    made.add_argument(
        "--patients",
        type=_patients,
        default=60,
        metavar="N",
        help=f"how many the built-in hospitals have, {FEWEST_PATIENTS} to {MOST_PATIENTS}; default: 60",
    )
    made.add_argument("--his-data", type=_sample, metavar="DIR", help="a Synthea sample in place of the built-in data")
    made.add_argument("--no-day", action="store_true", help="start everything, play nothing")
    made.add_argument(
        "--data", type=_data_folder, default=DATA, metavar="DIR", help="where everything is kept; default: .data/demo"
    )
    return made


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date; write it like 2026-11-21") from None
    if not FIRST_DAY <= day <= LAST_DAY:
        raise argparse.ArgumentTypeError(f"a date from {FIRST_DAY} to {LAST_DAY} is needed, for example 2026-11-21")
    return day


def _patients(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or not FEWEST_PATIENTS <= int(text[:9]) <= MOST_PATIENTS:
        raise argparse.ArgumentTypeError(
            f"a whole number from {FEWEST_PATIENTS} to {MOST_PATIENTS} is needed, for example 60"
        )
    return int(text)


def _sample(text: str) -> Path:
    folder = Path(text)
    missing = [f"{table}.csv" for table in TABLES if not (folder / f"{table}.csv").is_file()]
    if missing:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no folder with a Synthea sample: {', '.join(missing)} not found;"
            " name the folder of its CSV tables, for example ~/synthea/csv"
        )
    return folder.resolve()


def _result_file(text: str) -> Path:
    path = Path(text).absolute()
    if not text or path.is_dir() or any(parent.exists() and not parent.is_dir() for parent in path.parents):
        raise argparse.ArgumentTypeError(f"{text!r} cannot be a file; name one, for example day.json")
    return path


def _data_folder(text: str) -> Path:
    path = Path(text).absolute()
    if not text or any(one.exists() and not one.is_dir() for one in (path, *path.parents)):
        raise argparse.ArgumentTypeError(f"{text!r} cannot be a folder; name one, for example .data/demo")
    return path
