"""The two ways money goes: WeChat Pay to the user's balance, the bank to a card. Both know a payout by our number.

What a way `said` is (event of app.payout.states, facts to keep). A word that we do not know is no news: None.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from app.core.errors import PartnerFault
from app.core.work import Work
from app.exchange import service as exchange
from app.exchange.service import Endpoint
from app.gateways import Gateways
from app.gateways.bank import BankTransfer
from app.gateways.wechat.pay import Transfer
from app.identity import service as identity
from app.identity.service import MerchantCredentials
from app.payout import rules
from app.payout.models import Payout

Said = tuple[str, dict[str, Any]]
AMOUNT_DIFFERS = "amount_differs"


class Way(Protocol):
    """One payout's way, with everything its calls need once no session is open."""

    def send(self, gateways: Gateways) -> Said | None: ...
    def query(self, gateways: Gateways, message_id: str) -> Said | None:
        """LookupError if the provider certainly has no such number."""
        ...


@dataclass(frozen=True)
class WechatWay:
    merchant: MerchantCredentials
    transfer: Transfer = field(repr=False)

    def send(self, gateways: Gateways) -> Said | None:
        return wechat_said(gateways.pay.transfer(self.merchant, self.transfer))

    def query(self, gateways: Gateways, message_id: str) -> Said | None:
        found = gateways.pay.query_transfer(self.merchant, self.transfer.out_bill_no)
        if found is None:
            raise LookupError
        if found.get("transfer_amount", self.transfer.amount_fen) != self.transfer.amount_fen:
            raise PartnerFault("wechat_pay", AMOUNT_DIFFERS, permanent=True)
        return wechat_said(found)


@dataclass(frozen=True)
class BankWay:
    endpoint: Endpoint = field(repr=False)
    transfer: BankTransfer = field(repr=False)

    def send(self, gateways: Gateways) -> Said | None:
        return bank_said(gateways.bank.transfer(self.endpoint, self.transfer))

    def query(self, gateways: Gateways, message_id: str) -> Said | None:
        found = gateways.bank.query(self.endpoint, message_id, self.transfer.out_no)
        if found is None:
            raise LookupError
        return bank_said(found)


def way_of(work: Work, row: Payout) -> Way:
    """The way of a payout whose check field fits; the reading of name and card is audited."""
    row.require_check(work.privacy)
    return _bank(work, row) if row.channel == "bank" else _wechat(work, row)


def _bank(work: Work, row: Payout) -> BankWay:
    paying = identity.paying_bank_account(work.session, work.privacy, row.insurer_id)
    bank = exchange.parties(work.session, "bank")[0]
    transfer = BankTransfer(
        out_no=row.out_no,
        from_account=paying.account,
        to_account=work.reveal(row, "payee_account_sealed", "payout"),
        to_name=work.reveal(row, "payee_name_sealed", "payout"),
        amount_fen=row.amount_fen,
        remark=f"理赔款 {row.claim_no}",
    )
    return BankWay(exchange.endpoint(work.session, work.privacy, bank.id), transfer)


def _wechat(work: Work, row: Payout) -> WechatWay:
    merchant = identity.merchant_credentials(work.session, work.privacy, party_id=row.insurer_id)
    app_id, openid = identity.payment_identity(work.session, row.account_id)
    transfer = Transfer(
        app_id=app_id,
        openid=openid,
        out_bill_no=row.out_no,
        amount_fen=row.amount_fen,
        user_name=work.reveal(row, "payee_name_sealed", "payout"),
        product_filing_no=row.product_filing_no,
        product_name=row.product_name,
        operation_no=row.claim_no,
        notify_url=f"{work.runtime.settings.public_url}/wechat/pay/{merchant.mchid}",
    )
    return WechatWay(merchant, transfer)


def wechat_said(answer: Mapping[str, Any]) -> Said | None:
    event = rules.WECHAT_EVENTS.get(str(answer.get("state")))
    facts = {
        "package_info": answer.get("package_info"),
        "provider_no": answer.get("transfer_bill_no"),
        "failed_code": answer.get("fail_reason"),
    }
    return (event, facts) if event else None


def bank_said(answer: Mapping[str, Any]) -> Said | None:
    event = rules.BANK_EVENTS.get(str(answer.get("status")))
    return (event, {"provider_no": answer.get("bank_no"), "failed_code": answer.get("reason")}) if event else None
