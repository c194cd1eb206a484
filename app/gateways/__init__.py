"""One client for each partner that we call. `Gateways` holds them; app/wiring.py makes it."""

from __future__ import annotations

from dataclasses import dataclass

from app.gateways.wechat.api import WeChat


@dataclass
class Gateways:
    """A client for each kind of partner; each is stateless, credentials come with the call."""

    wechat: WeChat
