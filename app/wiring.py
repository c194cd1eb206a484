"""The composition root: settings become a runtime and the gateways. Nothing connects before it is used."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from app.audit import service as audit
from app.core.clock import Clock
from app.core.db import Database
from app.core.privacy import Privacy
from app.core.redis import connect
from app.core.settings import Settings
from app.core.signing import SigningKeys, read_seeds
from app.core.tokens import Tokens
from app.core.work import Runtime
from app.gateways import Gateways
from app.gateways.bank import Bank
from app.gateways.e_bill_authority import EBillAuthority
from app.gateways.http import Http
from app.gateways.insurer.dialects import Insurer
from app.gateways.mail import Mail
from app.gateways.pushes import Pushes
from app.gateways.sms import Sms
from app.gateways.wechat.api import WeChat
from app.gateways.wechat.pay import Pay


def make_runtime(
    settings: Settings, *, routes: Mapping[str, Sequence[str]], ring: Callable[[set[str]], None]
) -> Runtime:
    """`routes` says which tasks follow which event (workers/routes.py), `ring` wakes the workers (workers/bell.py)."""
    privacy = Privacy(settings.master_key)
    return Runtime(
        settings=settings,
        clock=Clock(settings.business_date),
        privacy=privacy,
        signing=SigningKeys(read_seeds(settings.package_signing_keys) or [privacy.signing_seed]),
        tokens=Tokens(privacy.token_key),
        database=Database(settings.database_url, privacy, pool_size=settings.database_pool_size),
        write_audit=audit.write,
        routes=routes,
        ring=ring,
    )


def make_gateways(settings: Settings) -> Gateways:
    wechat = WeChat(
        settings.wechat_api_url,
        settings.wechat_open_url,
        Http("wechat", settings.partner_timeout_s),
        connect(settings.redis_url),
        Privacy(settings.master_key),
    )
    timeout_s = settings.partner_timeout_s
    return Gateways(
        wechat=wechat,
        pay=Pay(settings.wechat_pay_url, timeout_s),
        insurer=Insurer(Http("insurer", timeout_s)),
        bank=Bank(Http("bank", timeout_s)),
        e_bill_authority=EBillAuthority(
            Http("e_bill_authority", timeout_s), settings.e_bill_authority_url, settings.e_bill_authority_key
        ),
        sms=Sms(Http("sms", timeout_s), settings.sms_url, settings.sms_key),
        mail=Mail(Http("mail", timeout_s), settings.mail_url, settings.mail_key, settings.mail_from),
        pushes=Pushes(Http("pushes", timeout_s)),
    )
