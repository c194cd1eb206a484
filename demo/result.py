"""The result of the day: what stands in the platform's tables, in the doubles' journals, and what the checkers say."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import psycopg

from demo import counts, found
from demo.database import plain
from demo.invariants.checking import HELD, check_all
from demo.invariants.scene import Scene
from demo.stack import Stack

Result = dict[str, Any]
TWO_SIDES = ("name", "document_no", "phone", "medical_card_no")


def collect(stack: Stack, seconds: Mapping[str, float]) -> Result:
    """Everything but the seconds is read where it is true, never taken from the driver's memory."""
    day = stack.world["business_date"]
    with psycopg.connect(plain(stack.database_url), autocommit=True) as db:
        numbers = counts.count(db, counts.NUMBERS, day)
        claims = counts.count(db, counts.CLAIMS, day)
        cases = counts.count(db, counts.CASES, day)
        reconciliation = found.night(db, day, _altered(stack))
    return {
        "patients": sum(person["alive"] for person in _people(stack)),
        "bound": numbers["bound"],
        "appointments": numbers["appointments"],
        "registered": numbers["registered"],
        "throttled": numbers["throttled"],
        "max_in_window": _max_in_window(stack),
        **{name: numbers[name] for name in ("encounters_pushed", "fee_lines_pushed", "bills", "bills_refused")},
        "trials": numbers["trials"],
        "settled": numbers["settled"],
        "claims": claims,
        "cases": cases,
        "payout_fen": numbers["payout_fen"],
        "notices": numbers["notices"],
        "menus": _menus(stack),
        "reconciliation": reconciliation,
        "invariants": check_all(scene(stack)),
        "seconds": dict(seconds),
    }


def broken(result: Result, expected: Mapping[str, Any]) -> list[str]:
    """What did not come out as it must: an invariant, the night, a case that did not happen, a number that is wrong."""
    problems = [f"{name}: {said}" for name, said in result["invariants"].items() if said != HELD]
    night = result["reconciliation"]
    if not night["found_all"]:
        problems.append("the night did not find exactly what was altered")
    problems += [f"no row in set {name}" for name in found.SETS if not night[name]]
    problems += [f"no {name}" for name in ("amount_differs", "status_differs") if not night[name]]
    problems += [f"case {name} did not happen" for name, number in result["cases"].items() if not number]
    problems += [
        f"{name} is {_at(result, name)}, expected {number}"
        for name, number in expected.items()
        if _at(result, name) != number
    ]
    return problems


def scene(stack: Stack) -> Scene:
    """What the invariants' checkers look at."""
    names = [name for name in stack.world["ports"] if name not in ("web", "exchange")]
    return Scene(
        database_url=stack.database_url,
        redis_url=stack.redis_url,
        world=stack.world,
        urls={name: stack.double(name) for name in names},
        logs=stack.place.logs,
        population=_population(stack),
        master_key=stack.master_key,
    )


def _at(result: Result, path: str) -> Any:
    """`claims.submitted` names a number inside a part."""
    value: Any = result
    for name in path.split("."):
        value = value[name]
    return value


def _population(stack: Stack) -> frozenset[str]:
    """Every text of the patients and their guardians that may never be seen outside."""
    people = [person for patient in stack.people for person in (patient, patient["guardian"]) if person]
    return frozenset(str(person[name]) for person in people for name in TWO_SIDES if person.get(name))


def _people(stack: Stack) -> list[dict[str, Any]]:
    return [person for hospital in stack.world["hospitals"] for person in _ask(stack, hospital["code"], "people")]


def _altered(stack: Stack) -> dict[str, list[dict[str, Any]]]:
    parties = (*stack.world["hospitals"], *stack.world["insurers"])
    return {party["code"]: _ask(stack, party["code"], "altered") for party in parties}


def _menus(stack: Stack) -> int:
    """Public accounts whose menu, as WeChat has it, leads to where the platform is reached now."""
    return sum(stack.public_url in json.dumps(menu) for menu in _ask(stack, "wechat", "state/menu").values())


def _max_in_window(stack: Stack) -> int:
    """The most trials that reached the interface in any window, refused ones too, by its own journal."""
    interface = stack.world["medical_insurance"]
    arrivals = sorted(row["at_ms"] for row in _ask(stack, interface["code"], "arrivals"))
    window_ms, most, start = interface["window_s"] * 1000, 0, 0
    for end, at_ms in enumerate(arrivals):
        while at_ms - arrivals[start] >= window_ms:
            start += 1
        most = max(most, end - start + 1)
    return most


def _ask(stack: Stack, name: str, what: str) -> Any:
    return httpx.get(f"{stack.double(name)}/__mock__/{what}", timeout=30.0, trust_env=False).raise_for_status().json()


def write(path: Path, result: Result) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
