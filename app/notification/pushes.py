"""What a push of WeChat's does. Each has its effect once; following and leaving are put in order by WeChat's time."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import cast

from sqlalchemy import Table, bindparam, delete, select
from sqlalchemy.dialects.postgresql import insert

from app.core.ids import new_id
from app.core.work import Work
from app.identity import service as identity
from app.notification import rules
from app.notification.models import WechatPush

FOLLOWING = ("subscribe", "unsubscribe")
JOB_FINISHED = "notification.job_finished"
# Without the unit of work, and made once: WeChat pushes something about every message.
_PUSHES = cast(Table, WechatPush.__table__)
_NEW = (
    insert(_PUSHES)
    .values({name: bindparam(name) for name in ("id", "app_id", "key", "sender", "event", "sent_at")})
    .on_conflict_do_nothing(constraint="uq_wechat_push")
    .returning(_PUSHES.c.id)
)


@dataclass(frozen=True)
class PushIn:
    """A push as the callback's gateway read it."""

    app_id: str
    openid: str = field(repr=False)
    event: str
    msg_id: str
    status: str
    sent_at_s: int
    key: str = field(repr=False)


def take_push(work: Work, push: PushIn) -> bool:
    """The effect of a push; False if it came before."""
    if not _is_news(work, push):
        return False
    if push.event in FOLLOWING and not _is_overtaken(work, push):
        identity.follow(work, push.app_id, push.openid, push.event == "subscribe")
    elif push.event == "TEMPLATESENDJOBFINISH" and push.status != "success":
        until = (work.now + rules.JOB_PATIENCE).timestamp()
        args = {"app_id": push.app_id, "msgid": push.msg_id, "status": push.status[:60], "until": int(until)}
        work.later(JOB_FINISHED, None, args=args)
    return True


def forget_pushes(work: Work) -> None:
    """Pushes that WeChat can no longer repeat."""
    old = WechatPush.received_at < work.now - rules.PUSH_MEMORY
    work.session.execute(delete(WechatPush).where(old))


def _is_news(work: Work, push: PushIn) -> bool:
    row = {
        "id": new_id(),
        "app_id": push.app_id,
        "key": _fingerprint(push.key),
        "sender": _fingerprint(push.openid),
        "event": push.event[:60],
        "sent_at": _sent_at(push),
    }
    return work.session.scalar(_NEW, row) is not None


def _is_overtaken(work: Work, push: PushIn) -> bool:
    """Whether we already know what the user did later."""
    later = select(WechatPush.id).where(
        WechatPush.app_id == push.app_id,
        WechatPush.sender == _fingerprint(push.openid),
        WechatPush.event.in_(FOLLOWING),
        WechatPush.sent_at > _sent_at(push),
    )
    return work.session.scalar(later.limit(1)) is not None


def _sent_at(push: PushIn) -> datetime:
    return datetime.fromtimestamp(push.sent_at_s, UTC)


def _fingerprint(text: str) -> str:
    return sha256(text.encode()).hexdigest()
