"""Whether an insurer's message, a decision, a data request or an agent's answers are what their readers expect."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from app.claim import service as claims
from app.claim.contracts import partners as claim
from app.claim.contracts.partners import AdjudicatedIn
from app.exchange.contracts import AnswersIn, MessageIn, RequestIn
from app.identity.service import TieIn
from app.sandbox.words import Fault, faults_of

MESSAGES: Mapping[str, type[BaseModel]] = {
    "claim.adjudicated": AdjudicatedIn,
    "claim.case_opened": claim.CaseOpenedIn,
    "claim.documents_requested": claim.DocumentsRequestedIn,
    "claim.export_asked": claim.ExportAskedIn,
    "claim.recovery_ended": claim.RecoveryEndedIn,
}
OF_HOSPITALS: Mapping[str, type[BaseModel]] = {"tie.revoked": TieIn}
REQUESTS: Mapping[str, type[BaseModel]] = {"record.visit": claim.VisitWanted}


def message(text: str, body: Mapping[str, Any]) -> Iterator[Fault]:
    yield from _against(MessageIn, text)
    known = {**MESSAGES, **OF_HOSPITALS}
    contract = known.get(str(body.get("type")))
    if contract is None:
        yield Fault("type", f"只能是 {'、'.join(known)}")
    elif contract is AdjudicatedIn:
        yield from decision(body.get("data"), "data")
    else:
        yield from _data(contract, body.get("data"), "data")


def request(text: str, body: Mapping[str, Any]) -> Iterator[Fault]:
    yield from _against(RequestIn, text)
    contract = REQUESTS.get(str(body.get("kind")))
    if contract is None:
        yield Fault("kind", f"只能是 {'、'.join(REQUESTS)}")
    else:
        yield from _data(contract, body.get("data"), "data")


def answers(text: str, body: Mapping[str, Any]) -> Iterator[Fault]:
    yield from _against(AnswersIn, text)


def decision(data: Any, within: str = "") -> Iterator[Fault]:
    """Contract, each line, each bill, and the sum."""
    try:
        said = AdjudicatedIn.model_validate(data)
    except ValidationError as error:
        yield from faults_of(error, within)
        return
    prefix = f"{within}." if within else ""
    places = {(line.clearing_no, line.line_no): f"{prefix}lines[{n}]" for n, line in enumerate(said.lines)}
    if any(times > 1 for times in Counter((line.clearing_no, line.line_no) for line in said.lines).values()):
        yield Fault(f"{prefix}lines", "同一 clearing_no 与 line_no 只能出现一次")
    for found in _arithmetic(said):
        known = found.line_no is not None
        place = places[found.clearing_no, found.line_no] if found.line_no is not None else f"{prefix}lines"
        yield Fault(place, f"{'这一行' if known else '一张结算单的各行合计'}算不平（{found.code}）：{found.why}")
    total_fen = sum(line.approved_fen for line in said.lines)
    if total_fen != said.approved_fen:
        yield Fault(f"{prefix}approved_fen", f"应为各行 approved_fen 之和：{total_fen}")
    if (said.outcome == "rejected") != (total_fen == 0):
        yield Fault(f"{prefix}outcome", "rejected 当且仅当赔付合计为 0")


def _arithmetic(said: AdjudicatedIn) -> Iterator[claims.Fault]:
    """Everything that does not add up: a line at fault is set aside until the rest holds."""
    names = claims.Line.__dataclass_fields__
    lines = [claims.Line(**{name: getattr(line, name) for name in names}) for line in said.lines]
    while (found := claims.fault(lines)) is not None:
        yield found
        same_bill = found.line_no is None
        lines = [
            line
            for line in lines
            if line.clearing_no != found.clearing_no or not (same_bill or line.line_no == found.line_no)
        ]


def _against(contract: type[BaseModel], text: str) -> Iterator[Fault]:
    try:
        contract.model_validate_json(text)
    except ValidationError as error:
        yield from faults_of(error)


def _data(contract: type[BaseModel], data: Any, within: str) -> Iterator[Fault]:
    try:
        contract.model_validate(data)
    except ValidationError as error:
        yield from faults_of(error, within)
