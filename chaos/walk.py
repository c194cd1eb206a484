"""Claims from the hospital's records to the money, with every message of a partner through the post office."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from chaos.post_office import PostOffice
from tests.app.claim.test_documents import PAPER
from tests.app.partner import batch
from tests.app.town import GOOD_CARD, Insured, Town, bill_rows

TRIES = 20
HEARD = ("record.apply", "claim.documents_requested", "claim.case_opened", "claim.adjudicated", "payout.bank_finished")
RETURNING = "6222021234567890136"  # a card that sends money back


@dataclass
class Case:
    """One patient with a claim, and how its payout is to end: paid, or accepted again because the bank returned it."""

    who: Insured
    payee: dict[str, Any]
    expected: str
    claim_id: str = ""


@dataclass
class Walk:
    """All claims on their way, step by step."""

    town: Town
    post: PostOffice
    cases: list[Case] = field(default_factory=list)

    def send(self, code: str, path: str, body: Any, message_id: str) -> None:
        """As a partner does: again under the same id until it is taken."""
        for _ in range(TRIES):
            if self.town.agent(code).post(path, body, message_id=message_id).status_code < 300:
                return
        raise SystemExit(f"{path} was not taken in {TRIES} tries")

    def push(self, rows: list[dict[str, Any]]) -> None:
        number = self.town.batch_nos["H1"] = self.town.batch_nos.get("H1", 0) + 1
        self.send("H1", "/batches", batch(number, "record", rows), f"batch-{number}")
        self.town.drain_all("record.apply")

    def bind(self) -> None:
        """Somebody binds himself, and the hospital answers who that is."""
        clinic = self.town.clinic
        answer = clinic.claim(clinic.log_in())
        assert answer.status_code == 202, answer.get_json()
        for command in self.town.agent("H1").poll(lanes=["identity"]):
            said = {"id": command["id"], "outcome": "done", "body": {"patient_no": None}}
            self.send("H1", "/commands/answers", {"answers": [said]}, f"answer-{command['id']}")
        self.town.drain_all("identity.hospital_answered")

    def submit(self, number: int) -> None:
        """Records in two versions, then the claim."""
        case = _case(self.town, number)
        town, who, key = self.town, case.who, f"C{number}"
        terms: dict[str, Any] = {"asks_documents": [{"kind": "invoice", "text": "发票原件"}]} if number % 3 == 1 else {}
        town.policy(who, **terms)
        for version in (1, 2):
            self.push(bill_rows(key, who.patient_no, (6_000, 4_000), version=version))
        case.claim_id = town.claim(who, [town.bill_id(key)], payee=case.payee)
        self.cases.append(case)

    def finish(self) -> None:
        """Patients send what is asked for, accept, and confirm in WeChat, until nothing more happens."""
        self.town.settle_down()
        for status, act in (("needs_documents", self._send_documents), ("approved", self._accept)):
            for case in self.cases:
                if self.town.status(case.claim_id) == status:
                    act(case)
            self.post.empty_the_attic()
            self.town.drain_all(*HEARD)  # a question that was answered is asked once more, before anybody decides
            self.town.settle_down()
        for case in self.cases:
            self._confirm(case)
        ends_s = time.monotonic() + 60
        while self.unfinished() and time.monotonic() < ends_s:
            self.town.settle_down()

    def unfinished(self) -> int:
        return sum(self.town.status(case.claim_id) != case.expected for case in self.cases)

    def _send_documents(self, case: Case) -> None:
        case.who.post(f"/claims/{case.claim_id}/documents", {"documents": [PAPER | {"kind": "invoice"}]})

    def _accept(self, case: Case) -> None:
        case.who.post(f"/claims/{case.claim_id}/accept")

    def _confirm(self, case: Case) -> None:
        for payout in case.who.get(f"/payouts?claim_id={case.claim_id}")["items"]:
            if payout["confirm"]:
                body = {"user": case.who.patient.user, "package_info": payout["confirm"]["package"]}
                self.town.wechat.app.test_client().post("/__mock__/phone/confirm_transfer", json=body)


def _case(town: Town, number: int) -> Case:
    who = town.insured()
    if number % 2:
        return Case(who, {"kind": "wechat"}, "paid")
    if number % 6 == 4:
        card = {"account": RETURNING, "name": who.name, "state": "returns"}
        town.bank.app.test_client().post("/__mock__/cards", json=[card])
        return Case(who, {"kind": "bank", "bank_account": RETURNING}, "accepted")
    return Case(who, {"kind": "bank", "bank_account": GOOD_CARD}, "paid")
