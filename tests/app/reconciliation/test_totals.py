"""A partner that offers totals is asked for its rows only where they do not settle it, and never is a figure wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.reconciliation import books, totals
from app.reconciliation.engine.ledger import Ledger
from mock_partners import books as partner_books
from mock_partners.faults import Fault
from tests.app.kit import run, value
from tests.app.reconciliation.kit import DAY, Night, number
from tests.examples import costly

WRONG: list[dict[str, Any]] = [
    {"count": "3"},
    {"count": True},
    {"count": None},
    {"count": 4},
    {"amount_fen": 600.0},
    {"amount_fen": -600},
    {"amount_fen": None},
    {"amount_fen": 601},
    {"sha256": None},
    {"sha256": "f" * 63},
    {"sha256": ["f" * 64]},
    {"sha256": "0" * 64},
    {"bad": 1},
]


@pytest.fixture
def two(night: Night) -> Night:
    """Rows of H1 with I1 and of H2 with I2; H1 and I1 offer totals."""
    night.book(range(1, 4))
    night.book(range(4, 6), "H2", "I2")
    night.offer_totals("H1", "I1")
    return night


def _sources(night: Night) -> dict[str, str]:
    """Where each party's book came from in the last run."""
    found: dict[str, str] = value(
        night.runtime,
        "SELECT json_object_agg(coalesce(p.code, 'platform'), l.source) FROM reconciliation_party_ledger l"
        " LEFT JOIN party p ON p.id = l.party_id"
        " WHERE run_id = (SELECT id FROM reconciliation_run ORDER BY attempt DESC LIMIT 1)",
    )
    return found


def _run(night: Night) -> dict[str, Any]:
    """A whole night in which the agents look for a command more than once."""
    run_id = night.start()
    for _ in range(3):
        night.serve()
        night.drain_all("reconciliation.fetch", "reconciliation.answered", "reconciliation.take_batch")
    night.drain_all("reconciliation.compare", "reconciliation.compare_part", "reconciliation.finish")
    return night.seen(run_id)


def _figures(seen: dict[str, Any]) -> Any:
    return [seen[name] for name in ("status", "sets", "totals", "groups", "counts", "amount_differs", "parties")]


def test_equal_totals_stand_for_the_rows_and_the_figures_are_the_same(two: Night) -> None:
    seen = _run(two)
    assert (seen["status"], seen["sets"]["111"]) == ("balanced", 5)
    assert _sources(two) == {"H1": "totals", "H2": "exchange", "I1": "totals", "I2": "file", "platform": "copy"}
    assert two.batch_nos == {"H1": 0, "H2": 1}, "nobody has pushed rows whose totals were equal"
    run(two.runtime, "UPDATE party SET config = config - 'ledger_totals'")
    by_rows = _run(two)
    assert set(_sources(two).values()) == {"exchange", "file", "copy"}
    assert _figures(by_rows) == _figures(seen)


def test_reversed_rows_are_in_the_totals_too(two: Night) -> None:
    back = number(9)
    two.platform_rows({back: 9}, "H1", "I1")
    statement = "UPDATE claim_bill SET kind = 'reverse', original_clearing_no = :original WHERE clearing_no = :back"
    run(two.runtime, statement, original=number(1), back=back)
    two.hospital_row("H1", back, 900)
    two.hospitals["H1"][DAY][back]["kind"] = "reverse"
    two.insurer_row("I1", back, 900)
    two.alter_insurer("I1", back, kind="reverse")
    seen = _run(two)
    assert (seen["sets"]["111"], seen["status_differs"]) == (6, 0)
    assert (_sources(two)["H1"], _sources(two)["I1"]) == ("totals", "totals")


@pytest.mark.parametrize(
    ("altered", "cause"),
    [({"amount_fen": 1}, "amount_hospital"), ({"status": "refunded"}, "status_hospital")],
)
def test_where_a_hospital_s_totals_differ_its_rows_are_fetched(two: Night, altered: dict[str, Any], cause: str) -> None:
    two.hospitals["H1"][DAY][number(2)] |= altered
    seen = _run(two)
    assert [row["cause"] for row in seen["differences"]] == [cause]
    assert (_sources(two)["H1"], _sources(two)["I1"]) == ("exchange", "totals")


def test_where_an_insurer_s_totals_differ_its_rows_are_fetched(two: Night) -> None:
    two.drop_insurer("I1", number(2))
    seen = _run(two)
    assert [(row["kind"], row["key"]) for row in seen["differences"]] == [("presence", number(2))]
    assert (_sources(two)["H1"], _sources(two)["I1"]) == ("totals", "file")


def test_equal_counts_and_sums_do_not_hide_two_amounts_that_changed_places(two: Night) -> None:
    for place in (two.hospitals["H1"][DAY].__getitem__, two.insurers["I1"].book.ledger._rows.__getitem__):
        assert place(number(1))["amount_fen"] == 100
    two.hospitals["H1"][DAY][number(1)]["amount_fen"] = 300
    two.hospitals["H1"][DAY][number(3)]["amount_fen"] = 100
    two.alter_insurer("I1", number(1), amount_fen=200)
    two.alter_insurer("I1", number(2), amount_fen=100)
    seen = _run(two)
    assert seen["amount_differs"] == 3
    assert (_sources(two)["H1"], _sources(two)["I1"]) == ("exchange", "file")


@pytest.mark.parametrize("spoilt", ["count", "no sha256"])
def test_totals_of_an_insurer_that_do_not_fit_or_are_broken_settle_nothing(two: Night, spoilt: str) -> None:
    two.insurers["I1"].book.settings.totals_fault = spoilt
    assert (_run(two)["status"], _sources(two)["I1"]) == ("balanced", "file")


@pytest.mark.parametrize("said", [{"count": 4}, {"sha256": None}])
def test_totals_of_a_hospital_that_do_not_fit_or_are_broken_settle_nothing(two: Night, said: dict[str, Any]) -> None:
    two.totals["H1"] = said
    assert (_run(two)["status"], _sources(two)["H1"]) == ("balanced", "exchange")


@pytest.mark.parametrize("wrong", WRONG)
def test_no_figure_may_be_wrong(wrong: dict[str, Any]) -> None:
    book = [
        {"clearing_no": number(ordinal), "kind": "pay", "amount_fen": ordinal * 100, "status": "settled"}
        for ordinal in range(1, 4)
    ]
    own = _ledger([row | {"status": "ok"} for row in book])
    said = partner_books.totals(book) | {"bad": 0}
    assert totals.settle("hospital", said, lambda: own) is not None
    assert totals.settle("hospital", said | wrong, lambda: own) is None
    for name in wrong.keys() & {"count", "amount_fen", "sha256"}:
        assert totals.settle("hospital", {key: said[key] for key in said.keys() - {name}}, lambda: own) is None


@pytest.mark.parametrize(
    "fault", [Fault(path="/v1/ledger/totals", status=503), Fault(path="/v1/ledger/totals", status=200, body="[1]")]
)
def test_an_insurer_whose_totals_cannot_be_had_is_asked_for_its_rows(two: Night, fault: Fault) -> None:
    two.insurers["I1"].faults.append(fault)
    assert (_run(two)["status"], _sources(two)["I1"]) == ("balanced", "file")


def test_who_does_not_offer_totals_after_all_hands_in_rows(two: Night) -> None:
    two.insurers["I1"].book.settings.ledger_totals = False
    del two.totals["H1"]
    assert (_run(two)["status"], _sources(two)["H1"], _sources(two)["I1"]) == ("balanced", "exchange", "file")


def test_an_agent_that_refuses_totals_is_asked_for_its_rows(two: Night) -> None:
    run_id = two.start()
    agent = two.world.partner["H1"]
    agent.answer(agent.poll(lanes=["ledger"])[0]["id"], outcome="refused", code="malformed_command")
    two.drain_all("reconciliation.answered")
    (again,) = agent.poll(lanes=["ledger"])
    assert again["body"] == {"business_date": DAY.isoformat()}
    agent.answer(again["id"], outcome="refused", code="closed")
    two.drain_all("reconciliation.answered")
    (party,) = [party for party in two.seen(run_id)["parties"] if party["code"] == "H1"]
    assert party["blocked_code"] == "refused"


def test_an_agent_that_answers_neither_is_blocked(two: Night) -> None:
    two.start()
    agent = two.world.partner["H1"]
    for _ in range(2):
        agent.answer(agent.poll(lanes=["ledger"])[0]["id"], {"count": 3})
        two.drain_all("reconciliation.answered")
    assert agent.poll(lanes=["ledger"]) == []
    code = value(two.runtime, "SELECT blocked_code FROM reconciliation_party_ledger WHERE status = 'blocked'")
    assert code == "malformed_answer"


def test_a_hospital_that_fails_for_the_moment_is_asked_the_same_again(two: Night) -> None:
    run_id = two.start()
    agent = two.world.partner["H1"]
    agent.answer(agent.poll(lanes=["ledger"])[0]["id"], outcome="failed", code="his_down")
    two.drain_all("reconciliation.answered")
    two.drain_all("reconciliation.ask", hurry=True)
    two.serve()
    two.drain_all("reconciliation.fetch", "reconciliation.answered", "reconciliation.take_batch")
    two.drain_all("reconciliation.compare", "reconciliation.compare_part", "reconciliation.finish")
    assert (two.seen(run_id)["status"], _sources(two)["H1"]) == ("balanced", "totals")


def test_empty_books_are_equal_and_a_book_that_is_not_ready_is_not_empty(night: Night) -> None:
    night.offer_totals("H1", "I1", "I2")
    night.insurers["I2"].book.settings.ledger_not_ready = [DAY.isoformat()]
    run_id = night.start()
    night.serve()
    night.drain_all("reconciliation.fetch", "reconciliation.answered", "reconciliation.take_batch")
    assert night.seen(run_id)["status"] == "collecting"
    assert (_sources(night)["H1"], _sources(night)["I1"], _sources(night)["I2"]) == ("totals", "totals", None)


NUMBERS = st.sampled_from([number(ordinal) for ordinal in range(1, 5)])
BOOKS = st.lists(
    st.fixed_dictionaries(
        {
            "clearing_no": NUMBERS,
            "kind": st.sampled_from(["pay", "reverse"]),
            "amount_fen": st.integers(0, 2),
            "status": st.sampled_from(["settled", "refunded", "void", "ok", "booked", "x\ny", "settled\n"]),
        }
    ),
    max_size=5,
)
OURS = st.dictionaries(NUMBERS, st.tuples(st.sampled_from(["pay", "reverse"]), st.integers(0, 2)), max_size=4)


@costly
@given(book=BOOKS, ours=OURS)
def test_totals_are_equal_for_the_same_rows_in_any_order_and_for_no_others(
    book: list[dict[str, Any]], ours: dict[str, tuple[str, int]]
) -> None:
    own = _ledger([{"clearing_no": no, "kind": k, "amount_fen": fen, "status": "ok"} for no, (k, fen) in ours.items()])
    said = partner_books.totals(book) | {"bad": 0}
    assert totals.read(said) is not None
    _, known = totals.settle("hospital", said, lambda: own) or (None, None)
    same = sorted((r["clearing_no"], r["kind"], r["amount_fen"], r["status"]) for r in book)
    assert (known is not None) == (same == sorted((no, *row, "settled") for no, row in ours.items()))
    if known is not None:
        compared = [books.of_role("hospital", [("H1", one)])[0].rows for one in (known, _ledger(book))]
        assert compared[0].drop("line").sort("number").equals(compared[1].drop("line").sort("number"))


def test_a_status_without_a_word_of_theirs_settles_nothing() -> None:
    row = {"clearing_no": number(1), "kind": "pay", "amount_fen": 1}
    own = _ledger([row | {"status": "undone"}])
    for word in ("refunded", "void", "undone"):
        said = partner_books.totals([row | {"status": word}])
        assert totals.read(said) is not None
        assert totals.settle("hospital", said, lambda: own) is None


def test_for_totals_that_cannot_be_read_our_rows_are_not_asked() -> None:
    def own_rows() -> Ledger:
        raise AssertionError("asked in vain")

    assert totals.settle("hospital", {"count": "3"}, own_rows) is None


def _ledger(book: Sequence[dict[str, Any]]) -> Ledger:
    schema = {"clearing_no": pl.String, "kind": pl.String, "amount_fen": pl.Int64, "status": pl.String}
    return Ledger.from_frame(pl.DataFrame(book, schema=schema))
