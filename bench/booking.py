"""`script/bench booking [--requests N] [--places N] [--rounds N] [--json]`: a burst of bookings over HTTP.

10,000 patients want one of 500 places at once, over 64 connections, from the product's own web role under granian with
token, idempotency key, audit and the question to the hospital. Exactly 500 are sold, none is lost, and each refusal
says why. The floor is bare Flask with one INSERT and its commit on the same server. The baseline, on that server too,
looks whether a place is free and then books: under this load it sells places twice. Arms take turns within a round.
"""

from __future__ import annotations

import json
import statistics
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
from sqlalchemy import insert

from app.appointment.models import Slot
from app.core.ids import new_id
from app.core.tokens import Tokens
from app.core.work import Runtime
from bench import patients
from bench.ground import Ground, arguments, count, libpq, load, report, runtime_on, servers, tell
from bench.patients import Town
from bench.raw_http import Burst, burst, post
from bench.web_server import served

CONNECTIONS = 64
THREADS = 8
PATH = "/api/v1/appointments"
BASELINE_PATH = "/api/v1/looked-then-booked"
_FLOOR_TABLES = """
CREATE TABLE bench_booking (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, person_id uuid, slot_id uuid);
CREATE TABLE bench_slot (id uuid PRIMARY KEY, capacity integer NOT NULL, taken integer NOT NULL DEFAULT 0)
"""


@dataclass(frozen=True)
class Options:
    """How big a burst, how often; the defaults are the benchmark's, smaller ones are for its test."""

    requests: int = 10_000
    places: int = 500
    rounds: int = 5


@dataclass(frozen=True)
class Sale:
    """What one burst sold, by the answers and by the database; `refusals` counts status and code."""

    sold: int
    lost: int
    refusals: Counter[str]
    burst: Burst


@dataclass(frozen=True)
class Round:
    """One turn of every arm."""

    floor: Burst
    baseline_sold: int
    sale: Sale


@dataclass(frozen=True)
class Hall:
    """A web server with its database. `first` is the patient who asks first: others in each round, because nobody may
    hold many places."""

    address: tuple[str, int]
    runtime: Runtime
    town: Town
    first: int = 0


def sell(hall: Hall, options: Options) -> Sale:
    """One burst on a new slot."""
    slot_id = _open_slot(hall, options.places)
    found = burst(hall.address, _requests(hall, slot_id, options.requests), CONNECTIONS)
    said = [(status, json.loads(body)) for status, body in found.answers.values()]
    named = {UUID(body["id"]) for status, body in said if status == 201}
    refusals = Counter(f"{status} {body.get('code')}" for status, body in said if status != 201)
    with psycopg.connect(libpq(hall.runtime.settings.database_url), autocommit=True) as connection:
        query = "SELECT id FROM appointment WHERE slot_id = %s AND status = 'pending'"
        kept = {row[0] for row in connection.execute(query, [slot_id])}
        [(taken,)] = connection.execute("SELECT taken FROM slot WHERE id = %s", [slot_id]).fetchall()
    # An answer without its appointment, an appointment that nobody was told of, a request without any answer.
    lost = len(named ^ kept) + options.requests - len(found.answers)
    return Sale(taken if taken == len(kept) else -1, lost, refusals, found)


def insert_bare(hall: Hall, options: Options) -> Burst:
    found = burst(hall.address, _requests(hall, uuid4(), options.requests), CONNECTIONS)
    assert found.statuses[201] == options.requests, found.statuses
    return found


def sell_naively(hall: Hall, options: Options) -> int:
    """How many places the baseline sold of as many as ours has."""
    slot_id = uuid4()
    with psycopg.connect(libpq(hall.runtime.settings.database_url), autocommit=True) as connection:
        connection.execute("INSERT INTO bench_slot (id, capacity) VALUES (%s, %s)", [slot_id, options.places])
    found = burst(hall.address, _requests(hall, slot_id, options.requests, BASELINE_PATH), CONNECTIONS)
    assert set(found.statuses) <= {201, 409}, found.statuses
    return found.statuses[201]


def _requests(hall: Hall, slot_id: UUID, count: int, path: str = PATH) -> list[bytes]:
    """Everybody asks once, and whoever is left over of `count` asks again under another key."""
    tokens, now = Tokens(hall.runtime.privacy.token_key), datetime.now(UTC)
    made = []
    for number in range(count):
        patient = hall.town.patients[(hall.first + number) % len(hall.town.patients)]
        token = tokens.issue("account", str(patient.account_id), str(new_id()), now)
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": uuid4().hex}
        body = json.dumps({"person_id": str(patient.person_id), "slot_id": str(slot_id)}).encode()
        made.append(post(path, headers, body))
    return made


def _open_slot(hall: Hall, places: int) -> UUID:
    """A slot of `places`, and five others of the same department that a refusal can name."""
    begin = datetime.now(UTC) + timedelta(days=1)
    rows = [
        {
            "id": new_id(), "hospital_id": hall.town.hospital_id, "key": uuid4().hex, "version": 1,
            "department_code": "01", "doctor_code": "D1", "starts_at": begin + timedelta(hours=hour),
            "ends_at": begin + timedelta(hours=hour + 1), "allotment": places, "capacity": places, "taken": 0,
            "fee_fen": 0, "stopped": False,
        }
        for hour in range(6)
    ]  # fmt: skip
    with hall.runtime.work() as work:
        work.session.execute(insert(Slot), rows)
    return UUID(str(rows[0]["id"]))


def run(options: Options, log: Path) -> dict[str, Any]:
    with servers() as ground:
        report(f"entering {options.requests} patients")
        url = ground.new_database()
        runtime = runtime_on(url)
        town = patients.settle(runtime, options.requests)
        with runtime.work() as work:
            work.session.connection().exec_driver_sql(_FLOOR_TABLES)
        try:
            return _run_on(ground, Hall(("", 0), runtime, town), options, log)
        finally:
            runtime.database.dispose()
            ground.drop(url)


def _run_on(ground: Ground, hall: Hall, options: Options, log: Path) -> dict[str, Any]:
    environment = {
        "DATABASE_URL": hall.runtime.settings.database_url, "REDIS_URL": ground.redis_url, "ROLE": "front",
        "CALLER_LIMIT": "off", "LOG_LEVEL": "WARNING", "DATABASE_POOL_SIZE": str(THREADS),
        "WEB_THREADS": str(THREADS),
    }  # fmt: skip
    rounds = []
    with served("asgi:app", environment, log) as ours, served("bench.booking_floor:asgi", environment, log) as bare:
        warm = Options(requests=min(500, options.requests), places=1)
        for number in range(-1, options.rounds):
            size = options if number >= 0 else warm
            rounds.append(_take_turns(replace(hall, address=ours), replace(hall, address=bare), size))
            hall = replace(hall, first=hall.first + 2 * size.places)
            report(_in_words(rounds[-1]))
    return _result(options, rounds[1:])


def _take_turns(ours: Hall, bare: Hall, size: Options) -> Round:
    return Round(insert_bare(bare, size), sell_naively(bare, size), sell(ours, size))


def _in_words(one: Round) -> str:
    sale, floor, ours = one.sale, one.floor, one.sale.burst
    return (
        f"sold {sale.sold}, lost {sale.lost}, {dict(sale.refusals)}; {ours.rate:.0f}/s (client {ours.client_share:.0%}"
        f" of a processor), floor {floor.rate:.0f}/s (client {floor.client_share:.0%}),"
        f" baseline sold {one.baseline_sold}"
    )


def _result(options: Options, rounds: list[Round]) -> dict[str, Any]:
    sales, floors = [one.sale for one in rounds], [one.floor for one in rounds]
    ratios = [one.sale.burst.rate / one.floor.rate for one in rounds]
    sold = {sale.sold for sale in sales}
    return {
        "name": "booking",
        "requests": options.requests,
        "places": options.places,
        "rounds": len(sales),
        "sold": sold.pop() if len(sold) == 1 else sorted(sold),
        "baseline_sold": statistics.median_low(one.baseline_sold for one in rounds),
        "lost": sum(sale.lost for sale in sales),
        "refusals": dict(sum((sale.refusals for sale in sales), Counter())),
        "requests_per_s": round(statistics.median(sale.burst.rate for sale in sales)),
        "floor_per_s": round(statistics.median(floor.rate for floor in floors)),
        "ratio_to_floor": round(statistics.median(ratios), 3),
        "client_share": round(max(sale.burst.client_share for sale in sales), 3),
        "load": load(),
    }


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--requests", type=count, default=10_000)
    parser.add_argument("--places", type=count, default=500)
    parser.add_argument("--rounds", type=count, default=5)
    parser.add_argument("--log", type=Path, default=Path("/dev/null"), help="where the web servers' output goes")
    given = parser.parse_args()
    result = run(Options(given.requests, given.places, given.rounds), given.log)
    tell(result, json_alone=given.json)


if __name__ == "__main__":
    main()
