"""The whole stand-in: `with WeChat(world["wechat"]) as wechat: wechat.url`.

Hosts that are apart in reality are one here: api.weixin.qq.com, open.weixin.qq.com and api.mch.weixin.qq.com.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mock_partners.double import Double
from mock_wechat import errors
from mock_wechat.account.callback import Callback
from mock_wechat.account.codes import Codes
from mock_wechat.account.custom import CustomMessages
from mock_wechat.account.followers import Followers
from mock_wechat.account.inbox import Inbox
from mock_wechat.account.jssdk import JsSdk
from mock_wechat.account.menu import Menu
from mock_wechat.account.oauth import OAuth
from mock_wechat.account.people import People
from mock_wechat.account.template import Templates
from mock_wechat.account.token import Tokens
from mock_wechat.admin import Controls, PayControls
from mock_wechat.ground import RememberedClock, read_ground
from mock_wechat.mini.links import Links
from mock_wechat.mini.login import Login
from mock_wechat.mini.phone_number import PhoneNumber
from mock_wechat.mini.subscribe import Subscriptions
from mock_wechat.pay.accounts import Accounts
from mock_wechat.pay.bills import Bills
from mock_wechat.pay.cashier import Cashier
from mock_wechat.pay.certificates import PlatformCertificates
from mock_wechat.pay.gate import Gate
from mock_wechat.pay.notices import Notices
from mock_wechat.pay.orders import Orders
from mock_wechat.pay.outcomes import Outcomes
from mock_wechat.pay.refunds import Refunds
from mock_wechat.pay.transfer_book import TransferBook
from mock_wechat.pay.transfers import Transfers
from mock_wechat.phone.chat_routes import ChatRoutes
from mock_wechat.phone.consent_routes import ConsentRoutes
from mock_wechat.phone.page import PhonePage
from mock_wechat.phone.people_routes import PeopleRoutes
from mock_wechat.phone.wallet_routes import WalletRoutes
from mock_wechat.pusher import Pusher


class WeChat(Double):
    """`world` is the world's "wechat" entry: `apps`, `merchants` and, if given, `settings` (see Settings).

    The parts are attributes, so that a test may ask and tell them directly. The background threads that push and let
    time pass run between `start` and `stop`.
    """

    def __init__(self, world: dict[str, Any], *, state_dir: Path | None = None) -> None:
        super().__init__("wechat", state_dir=state_dir)
        self.app.template_folder = str(Path(__file__).parent / "templates")
        errors.install(self.app)
        self.clock = RememberedClock(self.table("clock"))
        self.ground = read_ground(self, world)
        self.settings = self.ground.settings
        self.pusher = Pusher(self.ground)
        self.people, self.inbox = People(self.ground), Inbox(self.ground)
        self._build_account()
        self._build_pay()
        self._build_phone()

    def _build_account(self) -> None:
        ground, people, inbox = self.ground, self.people, self.inbox
        self.codes, self.tokens = Codes(ground), Tokens(ground)
        self.callback = Callback(ground, self.pusher, people, inbox)
        self.oauth = OAuth(ground, people, self.codes)
        self.menu, self.jssdk = Menu(ground, self.tokens), JsSdk(ground, self.tokens)
        self.followers = Followers(ground, people, self.tokens)
        self.templates = Templates(ground, people, self.tokens, inbox, self.callback)
        self.custom = CustomMessages(ground, people, self.tokens, inbox)
        self.login = Login(ground, people, self.codes, self.tokens)
        self.phone_number = PhoneNumber(ground, people, self.codes, self.tokens)
        self.subscriptions = Subscriptions(ground, people, self.tokens, inbox, self.callback)
        self.links = Links(ground, people, self.tokens)

    def _build_pay(self) -> None:
        ground, people = self.ground, self.people
        certificates = PlatformCertificates(ground)
        self.gate = Gate(ground, certificates)
        self.notices = Notices(ground, self.pusher, certificates)
        self.accounts, self.outcomes = Accounts(ground), Outcomes(ground)
        self.orders = Orders(ground, people)
        self.cashier = Cashier(ground, people, self.orders, self.accounts, self.notices)
        self.refunds = Refunds(ground, self.orders, self.accounts, self.notices, self.outcomes)
        self.transfer_book = TransferBook(ground, people, self.accounts, self.notices, self.outcomes)
        self.transfers = Transfers(ground, people, self.transfer_book)
        self.bills = Bills(ground, self.orders, self.refunds, self.accounts)

    def _build_phone(self) -> None:
        ground, people = self.ground, self.people
        PeopleRoutes(ground, people, self.codes, self.inbox)
        ChatRoutes(ground, people, self.callback, self.custom, self.menu)
        ConsentRoutes(ground, people, self.oauth, self.subscriptions)
        WalletRoutes(ground, people, self.cashier, self.transfer_book, self.custom, self.inbox)
        PhonePage(ground, people, self.inbox, self.menu, self.orders, self.transfer_book)
        Controls(ground, self.tokens, self.callback)
        PayControls(ground, self.pusher, self.gate, self.accounts, self.outcomes)

    def start(self, port: int = 0, *, host: str = "127.0.0.1") -> str:
        url = super().start(port, host=host)
        self.pusher.start()
        return url

    def stop(self) -> None:
        self.pusher.stop()
        super().stop()
