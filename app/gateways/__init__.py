"""One client for each partner that we call. `Gateways` holds them; app/wiring.py makes it."""

from __future__ import annotations

from dataclasses import dataclass

from app.gateways.bank import Bank
from app.gateways.e_bill_authority import EBillAuthority
from app.gateways.insurer.dialects import Insurer
from app.gateways.mail import Mail
from app.gateways.pushes import Pushes
from app.gateways.sms import Sms
from app.gateways.wechat.api import WeChat
from app.gateways.wechat.pay import Pay


@dataclass
class Gateways:
    """A client for each kind of partner; each is stateless, credentials come with the call."""

    wechat: WeChat
    pay: Pay
    insurer: Insurer
    bank: Bank
    e_bill_authority: EBillAuthority
    sms: Sms
    mail: Mail
    pushes: Pushes
