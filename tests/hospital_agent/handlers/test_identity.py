"""Without an interface people are checked against the hospital's patient list."""

from __future__ import annotations

import pytest

from hospital_agent.errors import Refused
from hospital_agent.handlers.identity import PatientList
from hospital_agent.sections import PullConfig
from hospital_agent.source.pull import PatientLane
from tests.hospital_agent.handlers.kit import Site


def test_known_unknown_and_wrong(site: Site) -> None:
    people = PatientList(site.source.mapping, PatientLane(site.source, site.spool, PullConfig()))
    person = site.person()
    assert people.verify(person) == {"patient_no": person["patient_no"]}
    assert people.verify(person | {"document_no": "110101199003070011"}) == {"patient_no": None}
    with pytest.raises(Refused, match="name_mismatch"):
        people.verify(person | {"name": "别人"})
    with pytest.raises(Refused, match="phone_mismatch"):
        people.verify(person | {"phone": "13000000000"})
