"""A hospital with its HIS double, and the agent's handlers beside it."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from hospital_agent.commands import Call, Handler, work_on
from hospital_agent.handlers.hospital import Hospital
from hospital_agent.handlers.ledger import Ledger
from hospital_agent.his import HisClient
from hospital_agent.mapping import reader
from hospital_agent.sections import InterfaceConfig, PullConfig
from hospital_agent.source.engine import SourceLink, make_engine
from hospital_agent.source.pull import PatientLane
from hospital_agent.store.commands import Answer, Command
from hospital_agent.store.db import Store
from hospital_agent.store.registry import Clearings, Ties
from hospital_agent.store.spool import Spool
from mock_partners.his import fill
from mock_partners.his.server import His
from tests.hospital_agent.small_his import always_idle

DAY = date(2026, 11, 21)
MAPPINGS = Path(fill.__file__).parent
WORLD = {
    "business_date": DAY.isoformat(),
    "seed": 1,
    "hospitals": [{"code": "H1"}],
    "insurers": [{"code": "I1", "product_name": "百万医疗", "product_filing_no": "C1"}],
}
_numbers = itertools.count(1)


def ask(handlers: Mapping[str, Handler], kind: str, /, **body: Any) -> Answer:
    """The answer to one command."""
    number = next(_numbers)
    return work_on(Call(Command(f"C{number}", kind, "", number, body), lambda: None), handlers)


@dataclass(frozen=True)
class Site:
    """One hospital: its double, its people, and the agent's parts beside it."""

    his: His
    database_url: str
    people: list[dict[str, Any]]
    source: SourceLink
    spool: Spool
    handlers: dict[str, Handler]

    def ask(self, kind: str, /, **body: Any) -> Answer:
        return ask(self.handlers, kind, **body)

    def person(self, number: int = 0) -> dict[str, Any]:
        return self.people[number]

    def attend(self, number: int = 0) -> dict[str, Any]:
        """Today's visit of a person at the counter: visit_key, bill_key, total_fen."""
        body = {"patient_no": self.person(number)["patient_no"], "counter": True, "on": DAY.isoformat()}
        with self.his.app.test_client() as client:
            answer = client.post("/__mock__/attend", json=body)
            assert answer.status_code == 200, answer.text
            return answer.get_json()


def source_of(database_url: str, dialect: str = "builtin", hospital: str = "H1") -> SourceLink:
    mapping = reader.load(MAPPINGS / f"{dialect}.mapping.toml")
    url = fill.hospital_url(database_url, dialect, hospital)
    return SourceLink(make_engine(url), mapping, lambda: {"business_date": DAY})


def open_site(his: His, database_url: str, people: list[dict[str, Any]], store: Store) -> Site:
    source, spool, clearings = source_of(database_url), Spool(store), Clearings(store)
    client = HisClient(InterfaceConfig(url=his.url, timeout_s=0.5))
    hospital = Hospital(
        his=client,
        lane=PatientLane(source, spool, PullConfig()),
        ties=Ties(store),
        clearings=clearings,
        verify=lambda asked: client.post("/patients/verify", asked),
        wait_sent=lambda _: None,
    )
    ledger = Ledger(always_idle(source), spool, clearings, lambda _: None)
    return Site(his, database_url, people, source, spool, hospital.handlers() | ledger.handlers())
