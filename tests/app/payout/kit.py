"""Claims that are about to be paid."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from tests.app.claim.kit import at_the_insurer, decide
from tests.app.town import GOOD_CARD, Insured, Town

WECHAT = {"kind": "wechat"}
IMAGE = {
    "kind": "identity_image",
    "title": "身份证",
    "media_type": "image/png",
    "content_base64": "iVBORw0KGgo=",
}
BANK_PATH, WECHAT_PATH = "/v1/transfers$", "/transfer-bills$"


def bank(account: str = GOOD_CARD) -> dict[str, str]:
    return {"kind": "bank", "bank_account": account}


def accepted(town: Town, who: Insured, *amounts: int, payee: dict[str, Any] | None = None) -> str:
    """A claim whose decision the patient has accepted: nothing is created yet. Its id."""
    documents = [IMAGE] if sum(amounts) >= 10_000_00 else []
    claim_id = at_the_insurer(town, who, *amounts, payee=payee or bank(), documents=documents)
    decide(town, claim_id)
    assert who.post(f"/claims/{claim_id}/accept").status_code == 200
    return claim_id


def created(town: Town, who: Insured, *amounts: int, payee: dict[str, Any] | None = None) -> tuple[str, str]:
    """The claim's id and that of its payout, which nobody has sent yet."""
    claim_id = accepted(town, who, *amounts, payee=payee)
    town.drain_all("payout.create")
    return claim_id, str(town.value("SELECT id FROM payout WHERE claim_id = :id", id=claim_id))


def send(town: Town) -> None:
    town.drain_all("payout.send")


def status(town: Town, payout_id: str) -> str:
    return str(town.value("SELECT status FROM payout WHERE id = :id", id=payout_id))


def out_no(town: Town, payout_id: str) -> str:
    return str(town.value("SELECT out_no FROM payout WHERE id = :id", id=payout_id))


def quarantine_over(town: Town, payout_id: str) -> None:
    """As if the provider's longest time had passed; then look."""
    town.rows("UPDATE payout SET status_since = now() - interval '1 hour' WHERE id = :id", id=payout_id)
    town.rows("UPDATE task SET run_at = now() WHERE kind = 'payout.look' AND subject = :id", id=payout_id)
    town.drain_all("payout.look")


def at_the_bank(town: Town, payout_id: str) -> list[dict[str, Any]]:
    """The transfers that the bank has booked under this payout's number."""
    found = town.bank.memory.load("transfers").get(out_no(town, payout_id))
    return [found] if found else []


def asked(town: Town, payout_id: str) -> int:
    """How often the bank or WeChat Pay was asked to move this payout's money."""
    number = out_no(town, payout_id)
    journal = [*town.bank.journal, *town.wechat.journal]
    return sum(e["path"].endswith(("/v1/transfers", "/transfer-bills")) and number in e["body"] for e in journal)


def at_wechat(town: Town, payout_id: str) -> dict[str, Any] | None:
    rows = town.wechat.memory.load("transfer").values()
    return next((row for row in rows if row["out_bill_no"] == out_no(town, payout_id)), None)


def confirm(town: Town, who: Insured, payout_id: str) -> None:
    """The payee taps the confirmation that our page opens."""
    page = who.get(f"/payouts/{payout_id}")["confirm"]
    body = {"user": who.patient.user, "package_info": page["package"]}
    assert town.wechat.app.test_client().post("/__mock__/phone/confirm_transfer", json=body).status_code == 200


def ledger(town: Town, payout_id: str) -> list[tuple[str, str, int]]:
    """(transaction, account, fen) of everything booked about this payout and its claim."""
    found = town.rows(
        "SELECT t.kind, a.kind, e.amount_fen FROM payout p"
        " JOIN ledger_transaction t ON t.reference IN (p.id, p.claim_id)"
        " JOIN ledger_entry e ON e.transaction_id = t.id JOIN ledger_account a ON a.id = e.account_id"
        " WHERE p.id = :id ORDER BY t.booked_at, e.amount_fen DESC",
        id=payout_id,
    )
    return [tuple(row) for row in found]


def balances(town: Town, claim_id: str) -> dict[str, int]:
    """What the books say of one claim, by account."""
    found = town.rows(
        "SELECT a.kind, sum(e.amount_fen) FROM ledger_entry e JOIN ledger_account a ON a.id = e.account_id"
        " JOIN ledger_transaction t ON t.id = e.transaction_id WHERE t.reference IN"
        " (SELECT id FROM payout WHERE claim_id = :id UNION SELECT id FROM recovery WHERE claim_id = :id)"
        " GROUP BY a.kind",
        id=claim_id,
    )
    return {kind: int(fen) for kind, fen in found if fen}


def told(town: Town, claim_id: str) -> list[str]:
    """What the insurer knows of this claim's payouts."""
    town.drain_all("claim.tell_acceptance", "claim.tell_payout")
    case = town.insurers["I1"].book.cases[town.value("SELECT no FROM claim WHERE id = :id", id=claim_id)]
    return [payout["status"] for payout in case["payouts"].values()]


def operator(town: Town, login: str, party: str | None) -> UUID:
    """An operator's id; the password is not used here."""
    town.rows(
        "INSERT INTO operator (id, login, party_id, duty, password_hash, totp_sealed)"
        " VALUES (gen_random_uuid(), :login, (SELECT id FROM party WHERE code = :party), 'business', '', '')",
        login=login,
        party=party,
    )
    return UUID(str(town.value("SELECT id FROM operator WHERE login = :login", login=login)))
