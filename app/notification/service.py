"""Notices as other features see them."""

from __future__ import annotations

from app.notification.outcomes import content, delivered, failed, job_finished, replay, said, withheld
from app.notification.pushes import PushIn, forget_pushes, take_push
from app.notification.writing import Told, mail, notify, notify_all, phone_code, tell_payer, text

__all__ = [
    "PushIn",
    "Told",
    "content",
    "delivered",
    "failed",
    "forget_pushes",
    "job_finished",
    "mail",
    "notify",
    "notify_all",
    "phone_code",
    "replay",
    "said",
    "take_push",
    "tell_payer",
    "text",
    "withheld",
]
