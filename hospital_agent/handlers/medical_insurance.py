"""Commands to the agent on the medical-insurance network: trial, settlement and what belongs to them.

A trial (2206) takes one of the interface's few places, so it is sent at most once, and not past its deadline:
a restart or a lost answer is `unknown`, never a second request. Before it go visit (2201), diagnoses (2203) and
fees (2204; 2205 takes back an earlier upload).

What moves money (2207, 2208) is sent at most once for a command too. Whoever does not know what became of it asks by
our number (ZP02). A final question first takes the fees back (2205): the interface refuses that for what is settled,
and can settle nothing afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hospital_agent import clock
from hospital_agent.commands import Call, Handler
from hospital_agent.errors import BadValue, Refused, Temporary, Unknown
from hospital_agent.fsi import FsiAnswer, FsiClient, FsiMessage
from hospital_agent.handlers import fsi_messages as messages
from hospital_agent.mapping.values import to_fen
from hospital_agent.store.commands import Inbox
from hospital_agent.store.registry import Memo

# Why the interface takes no fees back: they are settled, or there are none. Then nothing can be settled any more.
CLOSED = frozenset({"SETTLED", "NOTFOUND", "ORDER"})
SIDES = {"fund_fen": "fund_pay_sumamt", "account_fen": "acct_pay", "self_pay_fen": "psn_cash_pay"}


class MedicalInsurance:
    """Handlers of the role medical_insurance. The memos keep the interface's own numbers under ours."""

    SPACES = ("visit", "upload", "trial")

    def __init__(self, fsi: FsiClient, memos: Mapping[str, Memo], inbox: Inbox, send_margin_s: float) -> None:
        self._fsi, self._memos, self._inbox, self._margin_s = fsi, memos, inbox, send_margin_s

    def handlers(self) -> dict[str, Handler]:
        return {
            "trial": self.trial,
            "settle": self.settle,
            "query_settlement": self.query_settlement,
            "reverse": self.reverse,
            "sync_self_pay": self.sync_self_pay,
        }

    def trial(self, call: Call) -> Mapping[str, Any]:
        self._begin(call)
        try:
            mdtrt_id = self._prepare(call)
        except Temporary as error:
            raise Unknown("not_sent" if not isinstance(error, Unknown) else error.code) from error
        request = messages.trial(call.command.body, mdtrt_id)
        note = {"hospital": call["hospital_code"], "request": request["data"]}
        self._memos["trial"].put(call["trial_no"], note)
        self._left_s(call)
        message = FsiMessage("2206", call["hospital_code"], request)  # once sent, its answer has its own time
        sent_s = clock.steady_s()
        try:
            answer = self._fsi.call(message)
        except Unknown:
            raise
        except Temporary as error:
            raise Unknown("not_sent") from error
        return _sides(_setlinfo(answer)) | _stamps(answer, clock.steady_s() - sent_s)

    def settle(self, call: Call) -> Mapping[str, Any]:
        trial = self._memos["trial"].get(call["trial_no"])
        if trial is None:
            raise Refused("trial_not_known")
        request = messages.settle(call.command.body, trial["request"])
        self._left_s(call)
        self._begin(call)
        info = _setlinfo(self._fsi.call(FsiMessage("2207", trial["hospital"], request)))
        return {"setl_id": _text(info, "setl_id")} | _sides(info)

    def query_settlement(self, call: Call) -> Mapping[str, Any]:
        """`final` in the answer says that what was not found now will never be there."""
        final = call["final"] and self._close(call)
        found = self._find(call)
        if found is None:
            return {"found": False, "final": final}
        known = {"state": _text(found, "state"), "setl_id": _text(found, "setl_id")}
        return {"found": True, "final": final} | known | _sides(found)

    def reverse(self, call: Call) -> Mapping[str, Any]:
        """The interface is first asked what it has: an earlier reversal may have been done."""
        found = self._find(call)
        if found is None:
            raise Refused("settlement_not_known")
        if _text(found, "state") != "reversed":
            request = messages.reverse(call["setl_id"], _text(found, "mdtrt_id"))
            self._left_s(call)
            self._begin(call)
            self._fsi.call(FsiMessage("2208", call["hospital_code"], request))
        return {}

    def sync_self_pay(self, call: Call) -> Mapping[str, Any]:
        self._again(FsiMessage("ZP01", call["hospital_code"], messages.self_pay(call.command.body)))
        return {}

    def _begin(self, call: Call) -> None:
        """From here on the command is not sent again, in this life or in a later one."""
        if not self._inbox.begin_once(call.command.id):
            raise Unknown("already_sent")

    def _close(self, call: Call) -> bool:
        """Take the trial's fees back, so that no request on its way can settle them; whether nothing can any more. A
        trial that is not known here was never sent to be settled from this store."""
        trial = self._memos["trial"].get(call["trial_no"])
        if trial is None:
            return True
        request = trial["request"]
        revoke = messages.revoke(request["chrg_bchno"], request["mdtrt_id"])
        try:
            self._again(FsiMessage("2205", trial["hospital"], revoke))
        except Refused as refused:
            return refused.code in CLOSED
        return True

    def _find(self, call: Call) -> Mapping[str, Any] | None:
        """What the interface has under our number."""
        message = FsiMessage("ZP02", call["hospital_code"], messages.query(call["settlement_no"]))
        output = self._again(message).output
        return output if output.get("found") else None

    def _prepare(self, call: Call) -> str:
        """Everything that must be at the interface before the trial; its visit number. Raises Temporary, Refused."""
        body = call.command.body
        mdtrt_id = self._visit(call)
        self._again(self._message(call, "2203", messages.diagnoses(body, mdtrt_id)))
        bill_key = call["bill"]["bill_key"]
        upload = f"{call['hospital_code']}:{bill_key}"
        if self._memos["upload"].get(upload):
            self._again(self._message(call, "2205", messages.revoke(bill_key, mdtrt_id)))
        self._memos["upload"].put(upload, {"mdtrt_id": mdtrt_id})
        self._again(self._message(call, "2204", messages.fees(body, mdtrt_id)))
        return mdtrt_id

    def _visit(self, call: Call) -> str:
        """The interface's number of the visit, registered once."""
        key = f"{call['hospital_code']}:{call['visit']['visit_key']}"
        known = self._memos["visit"].get(key)
        if known is None:
            answer = self._again(self._message(call, "2201", messages.register(call.command.body)))
            known = {"mdtrt_id": _text(answer.output.get("data") or {}, "mdtrt_id")}
            self._memos["visit"].put(key, known)
        return str(known["mdtrt_id"])

    def _again(self, message: FsiMessage) -> FsiAnswer:
        """A message that may be sent again: a lost answer is a temporary failure."""
        try:
            return self._fsi.call(message)
        except Unknown as unknown:
            raise Temporary(unknown.code) from unknown

    def _message(self, call: Call, infno: str, request: Mapping[str, Any]) -> FsiMessage:
        """A message that goes before a trial; Unknown when its time is up, and no answer is waited for beyond it."""
        message = FsiMessage(infno, call["hospital_code"], request)
        return replace(message, timeout_s=self._left_s(call))

    def _left_s(self, call: Call) -> float | None:
        """Until the command's time is up, None without a deadline. Raises Unknown when it is."""
        if call.command.deadline_s is None:
            return None
        left_s = call.command.deadline_s - clock.steady_s()
        if left_s <= self._margin_s:
            raise Unknown("past_deadline")
        return left_s


def _stamps(answer: FsiAnswer, round_trip_s: float) -> dict[str, int | None]:
    """When the interface says that it had the request and answered it: it cannot have worked for longer than we waited,
    whatever its clock did meanwhile."""
    received_ms, answered_ms = answer.received_ms, answer.answered_ms
    if received_ms is not None and answered_ms is not None:
        received_ms = max(received_ms, answered_ms - int(round_trip_s * 1000))
    return {"received_ms": received_ms, "answered_ms": answered_ms}


def _setlinfo(answer: FsiAnswer) -> Mapping[str, Any]:
    info = answer.output.get("setlinfo")
    if not isinstance(info, Mapping):
        raise Unknown("interface_bad_answer")
    return info


def _sides(info: Mapping[str, Any]) -> dict[str, int | None]:
    try:
        return {ours: to_fen(info[theirs], "yuan") for ours, theirs in SIDES.items()}
    except (KeyError, BadValue) as error:
        raise Unknown("interface_bad_answer") from error


def _text(data: Mapping[str, Any], name: str) -> str:
    if not data.get(name):
        raise Unknown("interface_bad_answer")
    return str(data[name])
