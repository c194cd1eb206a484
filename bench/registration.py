"""`script/bench registration [--entries N] [--rounds N] [--json]`: registrations a second through a hospital's line.

Ours is the whole lane: entries taken in order, person's facts opened, moved, answered, patient numbers noted, history,
audit, notices and follow-up tasks written; the hospital answers at once in this process. Beside it the way through the
exchange and a signing agent; partners that answer slowly; as the rival one RQ fork job for each patient; as the floor a
bare INSERT … unnest of 200 rows a commit; and as the ceiling the rows of a registration by two bare statements a batch.
Arms take turns within a round; the figures are medians.
"""

from __future__ import annotations

import gc
import random
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from uuid import UUID

import psycopg
from sqlalchemy import text

from app.core.ids import new_id, partner_number
from app.core.work import Runtime
from app.exchange.service import CommandAnswer
from app.registration import asking, service
from app.registration.states import State, registrations
from bench import newcomers, registration_agent, registration_bare, registration_rivals
from bench.ground import arguments, count, libpq, load, report, runtime_on, servers, tell

BATCH = 200


@dataclass(frozen=True)
class Options:
    """How many entries each arm gets in each round."""

    entries: int = 4000
    through: int = 600
    rounds: int = 5
    jobs: int = 40
    floor_rows: int = 20_000


@dataclass
class Lane:
    """One hospital's line on one database."""

    runtime: Runtime
    hospital_id: UUID
    people: int = 0

    def enter(self, count: int) -> None:
        """So many new patients stand in the line."""
        patients = newcomers.people(self.runtime, self.hospital_id, count, first=self.people)
        self.people += count
        with self.runtime.work() as work:
            last = work.session.scalar(text("SELECT coalesce(max(line_no), 0) FROM registration")) or 0
            rows = [
                {
                    "id": new_id(),
                    "hospital_id": self.hospital_id,
                    "line_no": last + place,
                    "no": partner_number("rg"),
                    "person_id": patient.person_id,
                    "account_id": patient.account_id,
                    "appointment_id": new_id(),
                    "appointment_no": partner_number("ap"),
                    "tries": 0,
                }
                for place, patient in enumerate(patients, 1)
            ]
            registrations.start_many(work, rows, State.QUEUED)
        self.settle_down()

    def settle_down(self) -> None:
        """What earlier arms left is written out, so that no arm pays for another's."""
        with psycopg.connect(libpq(self.runtime.settings.database_url), autocommit=True) as db:
            db.execute("TRUNCATE task, audit_entry")
            db.execute("VACUUM ANALYZE")  # as autovacuum does within a minute
            db.execute("CHECKPOINT")

    def drain(self) -> int:
        """Until the line is empty, with a hospital that answers at once: how many it registered."""
        done = 0
        while True:
            with self.runtime.work() as work:
                asked = asking.take(work, self.hospital_id)
            if not asked:
                return done
            answers = [self._answer(one.subject, one.body) for one in asked]
            with self.runtime.work() as work:
                service.hospital_answered(work, answers)
            done += len(asked)

    def fill(self) -> int:
        """The same rows for everybody in the line, by bare statements: how many."""
        return registration_bare.register_all(self.runtime.settings.database_url, self.hospital_id, BATCH)

    def require_in_order(self, numbers: list[str]) -> None:
        """The hospital was asked in the order of the line. SystemExit if it was not."""
        query = "SELECT line_no FROM unnest(CAST(:numbers AS text[])) WITH ORDINALITY AS n(no, place)"
        query += " JOIN registration USING (no) ORDER BY place"
        with self.runtime.read() as session:
            places = list(session.scalars(text(query), {"numbers": numbers}))
        if places != sorted(set(places)) or len(places) != len(numbers):
            raise SystemExit("the hospital was asked out of order, or twice")

    def _answer(self, subject: UUID | None, body: dict[str, str]) -> CommandAnswer:
        said = {"patient_no": f"P{body['registration_no'][2:14]}"}
        return CommandAnswer(
            command_id=new_id(),
            party_id=self.hospital_id,
            partner_id=None,
            kind="register",
            subject=subject,
            outcome="done",
            code=None,
            message=None,
            body=said,
            answered_at=self.runtime.clock.now(),
        )


def measure(lane: Lane, options: Options) -> dict[str, list[float]]:
    """Registrations (or rows, or jobs) a second of each arm in each round, arms taking turns."""
    settings = lane.runtime.settings
    registration_rivals.prepare(settings.database_url)
    found: dict[str, list[float]] = {name: [] for name in ("floor", "ours", "bare", "rival", "exchange", "slow")}
    exchange = registration_agent.Exchange(lane.runtime)
    for number in range(1, options.rounds + 1):
        found["floor"].append(registration_rivals.floor(settings.database_url, options.floor_rows))
        lane.enter(options.entries)
        found["ours"].append(_rate(lane.drain))
        found["floor"].append(registration_rivals.floor(settings.database_url, options.floor_rows))
        lane.enter(options.entries)
        found["bare"].append(_rate(lane.fill))
        found["rival"].append(registration_rivals.rival(settings.redis_url, options.jobs))
        for name, slow in (("exchange", None), ("slow", random.Random(number))):
            lane.enter(options.through)
            agent = registration_agent.Agent(exchange.client, slow)
            found[name].append(_rate(partial(exchange.register, agent, lane.hospital_id, options.through)))
            lane.require_in_order(agent.order)
        report(f"round {number} of {options.rounds}: " + _words({name: rates[-1] for name, rates in found.items()}))
    exchange.close()
    return found


def _rate(arm: Callable[[], int]) -> float:
    start = time.perf_counter()
    count = arm()
    return count / (time.perf_counter() - start)


def _words(rates: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:,.0f}/s" for name, value in rates.items())


def run(options: Options) -> dict[str, object]:
    with servers() as ground:
        url = ground.new_database()
        runtime = runtime_on(url, redis_url=ground.redis_url, partner_limit="1000000 per minute")
        lane = Lane(runtime, newcomers.found(runtime))
        lane.enter(BATCH)
        lane.drain()  # statements are made, plans are known
        gc.freeze()  # as a worker does when it begins
        rates = measure(lane, options)
        runtime.database.dispose()
        ground.drop(url)
    middle = {name: statistics.median(values) for name, values in rates.items()}
    return {
        "name": "registration",
        "entries": options.entries,
        "rounds": options.rounds,
        "per_second": {name: round(value, 1) for name, value in middle.items()},
        "ratio_to_rival": round(middle["ours"] / middle["rival"], 1),
        "ratio_to_floor": round(middle["ours"] / middle["floor"], 3),
        "ratio_to_bare": round(middle["ours"] / middle["bare"], 3),
        "bare_to_floor": round(middle["bare"] / middle["floor"], 3),
        "load": load(),
    }


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--entries", type=count, default=Options.entries)
    parser.add_argument("--through", type=count, default=Options.through, help="entries of the two arms with an agent")
    parser.add_argument("--rounds", type=count, default=Options.rounds)
    given = parser.parse_args()
    options = Options(given.entries, given.through, given.rounds)
    tell(run(options), json_alone=given.json)


if __name__ == "__main__":
    main()
