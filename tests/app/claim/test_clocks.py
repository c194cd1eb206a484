"""The terms of a claim: they start and stop with its states, stand still during pauses, and are late once."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError
from sqlalchemy import text

from app.claim import clocks, documents
from app.claim.contracts import people as c
from app.claim.models.claims import ClaimClock
from app.claim.queries import lookup
from app.claim.states import State, claims
from app.claim.steps import advance, get
from app.core.work import Work
from tests.app.claim.kit import adjudicate, at_the_insurer, decide, declined, fed, in_days, lines_of, mark_late
from tests.app.claim.test_documents import PAPER, ask
from tests.app.claim.test_operator_api import ask as ask_operator
from tests.app.claim.test_operator_api import headers
from tests.app.town import Insured, Town

DAY = timedelta(days=1)
# What runs in which state, written down a second time; in all others nothing does.
RUNNING = {
    "adjudicating": {"decision", "prepay"},
    "needs_documents": {"decision", "prepay"},
    "appealed": {"decision"},
    "accepted": {"payment"},
    "paying": {"payment"},
}


@pytest.fixture
def who(town: Town) -> Insured:
    return town.insured()


def clock(town: Town, claim_id: str, kind: str) -> Any:
    """The newest of that kind."""
    found = "SELECT * FROM claim_clock WHERE claim_id = :id AND kind = :kind ORDER BY id DESC LIMIT 1"
    return town.rows(found, id=claim_id, kind=kind)[0]


def request(town: Town, claim_id: str, request_no: str, on_day: float, **more: Any) -> None:
    """The insurer asks for documents on that day, and has a case that waits for them."""
    said = ask(town, claim_id, request_no) | more
    book = town.insurers["I1"].book
    book.save(book.case(said["claim_no"]) | {"state": "documents", "documents_request_no": request_no})
    town.agent("I1").ok("/messages", {"type": "claim.documents_requested", "data": said})
    with in_days(town, on_day):
        town.drain_all("claim.documents_requested")
    assert town.status(claim_id) == "needs_documents"


def supplement(town: Town, who: Insured, claim_id: str) -> None:
    account_id = town.value("SELECT account_id FROM claim WHERE id = :id", id=claim_id)
    papers = [c.DocumentIn(kind=kind, **PAPER) for kind in ("invoice", "report")]
    with town.runtime.work() as work:
        documents.send(work, account_id, UUID(claim_id), c.SendDocuments(documents=papers))


def late(town: Town, claim_id: str, on_day: float) -> list[str]:
    """What the insurer has been told to be late after that day's looking."""
    with in_days(town, on_day):
        mark_late(town)
    return [told["kind"] for told in fed(town, "claim.late", claim_id)]


def test_a_term_ends_with_its_last_day_in_shanghai() -> None:
    """Civil Code, article 201: the day on which it begins does not count."""
    assert clocks.due(datetime(2026, 3, 1, 15, 59, tzinfo=UTC), 3) == datetime(2026, 3, 4, 16, tzinfo=UTC)
    assert clocks.due(datetime(2026, 3, 1, 16, 0, tzinfo=UTC), 3) == datetime(2026, 3, 5, 16, tzinfo=UTC)
    assert clocks.due(datetime(2026, 3, 1, 15, tzinfo=UTC), 3, timedelta(hours=1)) == datetime(
        2026, 3, 5, 16, tzinfo=UTC
    )


def test_pauses_are_summed_and_last_until_the_documents_are_there(town: Town, who: Insured) -> None:
    claim_id = at_the_insurer(town, who)
    request(town, claim_id, "R1", on_day=2)
    with in_days(town, 5):
        supplement(town, who, claim_id)
    assert town.status(claim_id) == "adjudicating" and clock(town, claim_id, "decision").paused_s == 0
    with in_days(town, 7):
        town.drain_all("claim.send_documents")
    assert clock(town, claim_id, "decision").paused_s // 86_400 == 5
    request(town, claim_id, "R2", on_day=10, reason="检查报告缺页", supervisor="S-07")
    with town.runtime.work() as work:
        work.later("claim.documents_late", UUID(claim_id))
    with in_days(town, 41):
        town.drain_all("claim.documents_late")
    found = clock(town, claim_id, "decision")
    assert town.status(claim_id) == "adjudicating" and found.paused_s // 86_400 == 5 + 31
    assert found.due_at == clocks.due(found.started_at, 30, timedelta(seconds=found.paused_s))
    assert fed(town, "claim.documents_late", claim_id)[0]["request_no"] == "R2"
    assert "decision" not in late(town, claim_id, on_day=65)
    assert late(town, claim_id, on_day=68).count("decision") == 1
    shown = who.get(f"/claims/{claim_id}")["clocks"]
    decision = next(one for one in shown if one["kind"] == "decision")
    assert decision["paused_s"] == found.paused_s and decision["late_at"] and "30日" in decision["in_words"]


def test_what_stands_still_is_not_late_and_prepayment_does_not_stand_still(town: Town, who: Insured) -> None:
    claim_id = at_the_insurer(town, who)
    request(town, claim_id, "R1", on_day=1)
    assert late(town, claim_id, on_day=59) == []
    assert late(town, claim_id, on_day=200) == ["prepay"]
    shown = who.get(f"/claims/{claim_id}")
    assert {one["kind"]: one["paused_since"] is not None for one in shown["clocks"]} == {
        "decision": True,
        "prepay": False,
    }


def test_a_documents_version_that_is_never_shared_ends_the_pause(town: Town, who: Insured) -> None:
    claim_id = at_the_insurer(town, who)
    request(town, claim_id, "R1", on_day=0)
    supplement(town, who, claim_id)
    consent_id = town.value("SELECT consent_id FROM claim WHERE id = :id", id=claim_id)
    assert who.post(f"/consents/{consent_id}/withdraw").status_code == 200
    town.drain_all("claim.consent_withdrawn", "claim.send_documents", hurry=True)
    assert town.value("SELECT clock_paused_since FROM claim WHERE id = :id", id=claim_id) is None


def test_a_late_decision_is_told_once_and_stands_in_the_list_until_it_comes(town: Town, who: Insured) -> None:
    claim_id = at_the_insurer(town, who)
    with in_days(town, 40):
        for _ in range(2):
            mark_late(town)
    [told] = fed(town, "claim.late", claim_id)
    assert (told["kind"], told["days"], told["paused_s"], told["holder"]) == ("decision", 30, 0, "insurer")
    for party, seen in ((None, True), ("I1", True), ("H1", True), ("I2", False)):
        items = listed(town, party)
        assert (claim_id in [item["claim_id"] for item in items]) is seen, party
    [item] = [item for item in listed(town, None, kind="decision") if item["claim_id"] == claim_id]
    assert (item["holder"], item["status"], item["late_at"] is not None) == ("insurer", "adjudicating", True)
    assert claim_id not in [item["claim_id"] for item in listed(town, None, kind="payment")]
    adjudicate(town, claim_id)
    assert claim_id not in [item["claim_id"] for item in listed(town, None)]
    assert clock(town, claim_id, "decision").late_at is not None, "but it was late"


def listed(town: Town, party: str | None, **query: str) -> list[dict[str, Any]]:
    answer = ask_operator(town, "/late-claims", headers(town, party), limit="100", **query)
    assert answer.status_code == 200
    items: list[dict[str, Any]] = answer.get_json()["items"]
    return items


def test_operators_without_the_role_see_no_list(town: Town) -> None:
    assert ask_operator(town, "/late-claims", headers(town, None, "administrator")).status_code == 403


def test_an_agreed_claim_is_to_be_paid_within_ten_days(town: Town, who: Insured) -> None:
    claim_id = at_the_insurer(town, who)
    decide(town, claim_id)
    assert late(town, claim_id, on_day=90) == [], "the patient has not agreed, and nothing is due"
    assert who.post(f"/claims/{claim_id}/accept").status_code == 200
    assert late(town, claim_id, on_day=10) == []
    assert late(town, claim_id, on_day=12) == ["payment"]
    town.settle_down()
    assert town.status(claim_id) == "paid" and clock(town, claim_id, "payment").ended_at is not None


def test_an_interim_payment_ends_the_term_for_it(town: Town, who: Insured) -> None:
    claim_id = at_the_insurer(town, who)
    lines = lines_of(town, claim_id)
    decide(town, claim_id, outcome="interim", lines=lines[:1])
    assert clock(town, claim_id, "prepay").ended_at is not None
    assert late(town, claim_id, on_day=90) == ["decision"]


def test_an_appeal_begins_the_term_for_a_decision_anew(town: Town, who: Insured) -> None:
    claim_id = at_the_insurer(town, who)
    lines = lines_of(town, claim_id)
    decide(town, claim_id, outcome="partly", lines=[declined(lines[0]), *lines[1:]])
    assert who.post(f"/claims/{claim_id}/appeal", {"reason": "医嘱", "lines": []}).status_code == 200
    found = town.rows("SELECT ended_at FROM claim_clock WHERE claim_id = :id AND kind = 'decision'", id=claim_id)
    assert sorted(row.ended_at is None for row in found) == [False, True]


@pytest.fixture
def agreed(town: Town) -> Iterator[None]:
    """What insurer I1 has agreed for its terms."""
    change = "UPDATE party SET config = config || CAST(:terms AS jsonb) WHERE code = 'I1'"
    town.rows(change, terms='{"terms": {"decision": 5, "prepay": 7, "documents": 4}}')
    yield
    town.rows("UPDATE party SET config = config - 'terms' WHERE code = 'I1'")


@pytest.mark.usefixtures("agreed")
def test_an_insurer_may_have_agreed_other_terms(town: Town, who: Insured) -> None:
    claim_id = at_the_insurer(town, who)
    assert late(town, claim_id, on_day=5) == []
    assert late(town, claim_id, on_day=6.5) == ["decision"] and late(town, claim_id, on_day=8.5)[1:] == ["prepay"]
    request(town, claim_id, "R1", on_day=0, deadline=None)
    deadline = town.value("SELECT deadline FROM document_request WHERE claim_id = :id", id=claim_id)
    assert 4 * DAY <= deadline - datetime.now(UTC) <= 5 * DAY


@pytest.mark.parametrize("wrong", [{"decision": 0}, {"decision": 366}, {"decisions": 5}, {"payment": "soon"}])
def test_terms_that_make_no_sense_are_no_terms(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        clocks.Terms.model_validate(wrong)


def test_terms_that_cannot_be_read_are_those_of_the_law(town: Town, who: Insured) -> None:
    town.rows("""UPDATE party SET config = config || '{"terms": {"decision": 0}}' WHERE code = 'I1'""")
    claim_id = at_the_insurer(town, who)
    town.rows("UPDATE party SET config = config - 'terms' WHERE code = 'I1'")
    assert (clock(town, claim_id, "decision").days, clock(town, claim_id, "prepay").days) == (30, 60)


def test_every_state_and_event_starts_and_stops_what_it_should(town: Town, who: Insured) -> None:
    """All of them: what runs after a move is what runs in its state, and a pause ends with the decision's term."""
    claim_id = UUID(at_the_insurer(town, who))
    with town.runtime.work() as work:
        for state, event in itertools.product(State, sorted(claims.events)):
            put_in(work, claim_id, state)
            moved = advance(work, get(work, claim_id), event)
            target = claims.target(state, event)
            assert moved is (target is not None)
            work.session.flush()
            assert running(work, claim_id) == RUNNING.get(target or state, set()), (state, event)
            paused = get(work, claim_id).clock_paused_since is not None
            assert paused is (may_stand(state) and may_stand(target or state)), (state, event)
        put_in(work, claim_id, State.ADJUDICATING)


def put_in(work: Work, claim_id: UUID, state: State) -> None:
    """The claim in this state with what runs in it, which stands still since an hour where it can."""
    work.session.flush()
    stands = work.now - timedelta(hours=1) if may_stand(state) else None
    change = text("UPDATE claim SET status = :status, clock_paused_since = :stands WHERE id = :id")
    work.session.execute(change, {"status": state, "stands": stands, "id": claim_id})
    work.session.execute(text("DELETE FROM claim_clock WHERE claim_id = :id"), {"id": claim_id})
    work.session.expunge_all()
    for kind in RUNNING.get(state, set()):
        work.add(ClaimClock(claim_id=claim_id, kind=kind, days=1, started_at=work.now, due_at=work.now))


def may_stand(state: State) -> bool:
    return "decision" in RUNNING.get(state, set())


def running(work: Work, claim_id: UUID) -> set[str]:
    return {one.kind for one in lookup.clocks(work.session, claim_id) if one.ended_at is None}
