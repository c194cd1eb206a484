"""The S200 dialect of live direct claims, as its public integrators show it, from the platform's side.

S200 identity and policies · S210 open, S230 change, S240 cancel a visit's file · S250 fees, at most 100 rows a call,
S260 take them back · S290 trial, S291 settle, S270 cancel the settlement · S340 medical record and further documents ·
S300 apply, and ask again until the case is decided · S310 the patient accepts.

What the dialect lacks: an appeal (refused with `not_in_dialect`; app.claim.dialects refuses it at the door), a word for
the payout and one for what must come back (ZP01 and ZP02 are extensions that have to be agreed with the insurer), any
message of the insurer's own but the end of a recovery, agreed with ZP02 (it is asked), and a book of the day (the file
of the native dialect is agreed for that).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.core.errors import PartnerFault
from app.core.money import yuan
from app.gateways.http import Http
from app.gateways.insurer.s200 import reading, upload
from app.gateways.insurer.s200.envelope import Line, Message, local_time
from app.gateways.insurer.speaking import Endpoint, News

UNKNOWN_PEOPLE = ("person_unknown", "policy_unknown")
Body = Mapping[str, Any]


@dataclass
class S200:
    http: Http
    line: Line = field(init=False)
    is_asked = True

    def __post_init__(self) -> None:
        self.line = Line(self.http)

    def eligibility(self, at: Endpoint, message_id: str, question: dict[str, Any]) -> Any:
        body = {"person": upload.person(question["person"]), "onDate": question["on"]}
        asked = Message("S200", message_id, question["request_no"], body, question["hospital_code"])
        try:
            answer = self.line.send(at, asked)
        except PartnerFault as fault:
            if fault.code in UNKNOWN_PEOPLE:
                return {"insured": False, "policies": []}
            raise
        return self._read(reading.policies, answer, question)

    def deliver(self, at: Endpoint, message_id: str, claim: dict[str, Any]) -> Any:
        """Bill by bill, what the patient sent with the claim, then the claim over all of them. The trade numbers are
        made of our own numbers and the version of the package: what the insurer has already, it answers as before. A
        first version that it refuses for good leaves nothing behind: the files that were opened are cancelled before
        the refusal is handed on."""
        manifest, parts = claim["package"]["manifest"], claim["package"]["parts"]
        begun: list[Body] = []
        try:
            for bill in parts["bills"]:
                begun.append(bill)
                self._send_all(at, upload.of_bill(claim, bill))
            self._send_all(at, upload.papers(claim))
            answer = self.line.send(at, upload.application(claim))
        except PartnerFault as fault:
            if fault.permanent and not fault.unknown and manifest["package_version"] == 1:
                self._undo(at, [upload.undone(bill, parts["hospital"]["code"]) for bill in begun])
            raise
        return {"case_no": answer.get("caseNo")}

    def tell(self, at: Endpoint, message_id: str, claim_no: str, what: str, body: dict[str, Any]) -> Any:
        messages = _TOLD.get(what)
        if messages is None:
            raise PartnerFault(self.http.partner, "not_in_dialect", permanent=True)
        self._send_all(at, messages(message_id, claim_no, body))
        return {}

    def news(self, at: Endpoint, message_id: str, case: dict[str, Any]) -> list[News]:
        asked = Message("S300", message_id, case["claim_no"], {"claimNo": case["claim_no"]})
        found: list[News] = self._read(reading.news, self.line.send(at, asked), case)
        return found

    def _send_all(self, at: Endpoint, messages: Iterable[Message]) -> None:
        for message in messages:
            self.line.send(at, message)

    def _undo(self, at: Endpoint, cancellings: Iterable[Message]) -> None:
        for message in cancellings:
            try:
                self.line.send(at, message)
            except PartnerFault as fault:
                if fault.code != "visit_unknown":  # the file that was refused was never opened
                    raise

    def _read(self, read: Callable[[Body, Body], Any], answer: Body, asked: Body) -> Any:
        try:
            return read(answer, asked)
        except (LookupError, TypeError, ValueError) as error:
            raise PartnerFault(self.http.partner, "answer_unreadable", permanent=True, unknown=True) from error


def _documents(message_id: str, claim_no: str, body: Body) -> Iterable[Message]:
    """One call for each file; the request they answer is named in each."""
    for number, document in enumerate(body["documents"], 1):
        asked = {"claimNo": claim_no, "supplement": True, "records": [upload.paper(document)]}
        yield Message("S340", f"{message_id}-{number}", claim_no, asked)


def _acceptance(message_id: str, claim_no: str, body: Body) -> Iterable[Message]:
    yield Message("S310", message_id, claim_no, {"claimNo": claim_no, "accepted": True})


def _withdrawal(message_id: str, claim_no: str, body: Body) -> Iterable[Message]:
    """Every settlement is cancelled before the first file is: the insurer refuses the first one, or none."""
    for row in body["reversals"]:
        cancelled = {"cancelNo": row["clearing_no"]}
        yield Message("S270", f"{message_id}-S270-{row['clearing_no']}", row["original_clearing_no"], cancelled)
    for row in body["reversals"]:
        yield Message("S240", f"{message_id}-S240-{row['clearing_no']}", row["original_clearing_no"], {})


def _payout(message_id: str, claim_no: str, body: Body) -> Iterable[Message]:
    paid = {
        "claimNo": claim_no,
        "payoutNo": body["payout_no"],
        "amount": yuan(body["amount_fen"]),
        "status": body["status"],
        "time": local_time(body["at"]),
    }
    yield Message("ZP01", message_id, claim_no, paid)


def _recovery(message_id: str, claim_no: str, body: Body) -> Iterable[Message]:
    """As it stands now: each further message about the same recovery takes the place of the one before."""
    lost = {
        "claimNo": claim_no,
        "recoveryNo": body["recovery_no"],
        "originalNo": body["clearing_no"],
        "reason": body["reason"],
        "status": body["status"],
        "lostAmount": yuan(body["lost_fen"]),
        "shareAmount": yuan(body["share_fen"]),
        "amount": yuan(body["due_fen"]),
    }
    yield Message("ZP02", message_id, claim_no, lost)


_TOLD: dict[str, Callable[[str, str, Body], Iterable[Message]]] = {
    "documents": _documents,
    "acceptance": _acceptance,
    "withdrawal": _withdrawal,
    "payout": _payout,
    "recovery": _recovery,
}
