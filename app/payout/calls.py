"""Moving money: intent committed → send with our stable number → paid, failed, or unknown and asked for by number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.core.errors import PartnerFault
from app.core.tasks import Job
from app.core.work import Runtime, Work
from app.exchange import service as exchange
from app.exchange.service import Endpoint
from app.gateways import Gateways
from app.gateways.bank import BankTransfer
from app.gateways.wechat.pay import Transfer
from app.identity import service as identity
from app.identity.service import MerchantCredentials
from app.payment import service as payment
from app.payout import queries, rules, service
from app.payout.models import Payout
from app.payout.states import MOVING, State

Said = tuple[str, dict[str, Any]]


@dataclass(frozen=True)
class _Way:
    """How one payout goes: everything the call needs, with no session open."""

    row: Payout
    payee_name: str
    notify_url: str
    merchant: MerchantCredentials | None = None
    payer: tuple[str, str] = ("", "")  # (app_id, openid)
    bank: Endpoint | None = None
    accounts: tuple[str, str] = ("", "")  # (from, to)


def create(runtime: Runtime, _: Gateways, job: Job) -> None:
    with runtime.work(finish=[job]) as work:
        service.create(work, job.subject)


def send(runtime: Runtime, gateways: Gateways, job: Job) -> None:
    """Send an approved payout once. If this worker, or one before it, may have sent it already, it is looked for."""
    with runtime.work() as work:
        row, may_send = service.begin_sending(work, job.subject)
        way = _way(work, row)
    if may_send:
        _send(runtime, gateways, job, way)
    elif row.status == State.SENDING:
        with runtime.work(finish=[job]) as work:
            service.lost_sight(work, row.id)


def _send(runtime: Runtime, gateways: Gateways, job: Job, way: _Way) -> None:
    try:
        event, facts = _bank_transfer(gateways, way) if way.row.channel == "bank" else _wechat_transfer(gateways, way)
    except PartnerFault as fault:
        with runtime.work(finish=[job]) as work:
            if fault.permanent and not fault.unknown:
                service.said(work, way.row.id, "fail", {"failed_code": fault.code})
            else:
                service.lost_sight(work, way.row.id)
        return
    with runtime.work(finish=[job]) as work:
        service.said(work, way.row.id, event, facts)
        service.look_later(work, way.row.id)


def look(runtime: Runtime, gateways: Gateways, job: Job) -> None:
    """Ask the provider by our own number; only where it certainly has none is the same number sent again."""
    with runtime.work() as work:
        row = service.get(work, job.subject)
        if row.status not in MOVING:
            return
        way = _way(work, row)
    found = _bank_query(gateways, way, job) if row.channel == "bank" else _wechat_query(gateways, way)
    if found is None and row.status == State.UNKNOWN:
        with runtime.work() as work:
            again = service.not_there(work, row.id)
        if again:
            _send(runtime, gateways, job, way)
        return
    with runtime.work(finish=[job]) as work:
        if found is not None:
            service.said(work, row.id, *found)
        if service.get(work, row.id).status in MOVING:
            service.look_later(work, row.id)


def notified(runtime: Runtime, _: Gateways, job: Job) -> None:
    """WeChat Pay says that a transfer has ended."""
    with runtime.work(finish=[job]) as work:
        mchid, content = payment.transfer_notification(work.session, job.subject)
        row = queries.by_number(work.session, str(content["out_bill_no"]))
        if row is None:
            return
        merchant = identity.merchant_credentials(work.session, work.privacy, party_id=row.insurer_id)
        if merchant.mchid != mchid or content.get("transfer_amount") != row.amount_fen:
            work.audit("payout.notification_differs", "payout", row.id)
            return
        service.said(work, row.id, *_wechat_said(content))


def bank_finished(runtime: Runtime, _: Gateways, job: Job) -> None:
    with runtime.work(finish=[job]) as work:
        row, data = _of_message(work, job.subject)
        if row is not None and data.get("status") in rules.BANK_EVENTS:
            service.said(work, row.id, *_bank_said(data))


def bank_returned(runtime: Runtime, _: Gateways, job: Job) -> None:
    with runtime.work(finish=[job]) as work:
        row, data = _of_message(work, job.subject)
        if row is not None:
            # A return proves that the transfer had succeeded, whether or not we were told.
            service.said(work, row.id, "succeed", {})
            service.returned(work, row.id, str(data.get("reason", "returned"))[:60])


def _of_message(work: Work, message_id: UUID) -> tuple[Payout | None, dict[str, Any]]:
    message = exchange.open_message(work, message_id)
    row = queries.by_number(work.session, str(message.data.get("out_no", "")))
    return (row if row is not None and row.channel == "bank" else None), message.data


def _way(work: Work, row: Payout) -> _Way:
    name = work.reveal(row, "payee_name_sealed", "payout")
    if row.channel == "bank":
        assert row.payee_account_sealed is not None
        paying = identity.paying_bank_account(work.session, work.privacy, row.insurer_id)
        bank = exchange.parties(work.session, "bank")[0]
        return _Way(
            row,
            name,
            "",
            bank=exchange.endpoint(work.session, work.privacy, bank.id),
            accounts=(paying.account, work.reveal(row, "payee_account_sealed", "payout")),
        )
    merchant = identity.merchant_credentials(work.session, work.privacy, party_id=row.insurer_id)
    notify_url = f"{work.runtime.settings.public_url}/wechat/pay/{merchant.mchid}"
    payer = identity.payment_identity(work.session, row.account_id)
    return _Way(row, name, notify_url, merchant=merchant, payer=payer)


def _wechat_transfer(gateways: Gateways, way: _Way) -> Said:
    assert way.merchant is not None
    app_id, openid = way.payer
    transfer = Transfer(
        app_id=app_id,
        openid=openid,
        out_bill_no=way.row.out_no,
        amount_fen=way.row.amount_fen,
        user_name=way.payee_name,
        product_filing_no=way.row.product_filing_no,
        product_name=way.row.product_name,
        operation_no=way.row.claim_no,
        notify_url=way.notify_url,
    )
    return _wechat_said(gateways.pay.transfer(way.merchant, transfer))


def _wechat_query(gateways: Gateways, way: _Way) -> Said | None:
    assert way.merchant is not None
    found = gateways.pay.query_transfer(way.merchant, way.row.out_no)
    return _wechat_said(found) if found is not None else None


def _wechat_said(answer: dict[str, Any]) -> Said:
    return rules.WECHAT_EVENTS[str(answer["state"])], {
        "package_info": answer.get("package_info"),
        "provider_no": answer.get("transfer_bill_no"),
        "failed_code": answer.get("fail_reason"),
    }


def _bank_transfer(gateways: Gateways, way: _Way) -> Said:
    assert way.bank is not None
    transfer = BankTransfer(
        out_no=way.row.out_no,
        from_account=way.accounts[0],
        to_account=way.accounts[1],
        to_name=way.payee_name,
        amount_fen=way.row.amount_fen,
        remark=f"理赔款 {way.row.claim_no}",
    )
    return _bank_said(gateways.bank.transfer(way.bank, transfer))


def _bank_query(gateways: Gateways, way: _Way, job: Job) -> Said | None:
    assert way.bank is not None
    found = gateways.bank.query(way.bank, f"query-{job.id}-{job.tries}", way.row.out_no)
    return _bank_said(found) if found is not None else None


def _bank_said(answer: dict[str, Any]) -> Said:
    return rules.BANK_EVENTS[str(answer["status"])], {
        "provider_no": answer.get("bank_no"),
        "failed_code": answer.get("reason"),
    }
