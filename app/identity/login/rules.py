"""The login page's `state`: random, signed, good for ten minutes and one app. It needs no row until it comes back."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from hmac import compare_digest

from app.core.privacy import Privacy

STATE_LIFE = timedelta(minutes=10)
SESSION_LIFE = timedelta(days=30)
_NONCE, _EXPIRY, _MARK = 32, 8, 40  # hex digits; WeChat allows 128 letters and digits in all


def make_state(privacy: Privacy, app_id: str, now: datetime) -> str:
    stem = f"{secrets.token_hex(_NONCE // 2)}{int((now + STATE_LIFE).timestamp()):08x}"
    return stem + _mark(privacy, app_id, stem)


def read_state(privacy: Privacy, app_id: str, state: str, now: datetime) -> tuple[str, datetime] | None:
    """(nonce, end) of a state that we made for this app and that has not ended; None for any other text."""
    if len(state) != _NONCE + _EXPIRY + _MARK or not state.isascii():
        return None
    stem, mark = state[: _NONCE + _EXPIRY], state[_NONCE + _EXPIRY :]
    if not compare_digest(mark, _mark(privacy, app_id, stem)):
        return None
    ends = datetime.fromtimestamp(int(stem[_NONCE:], 16), UTC)
    return (stem[:_NONCE], ends) if now < ends else None


def _mark(privacy: Privacy, app_id: str, stem: str) -> str:
    return privacy.index(stem, f"login_state:{app_id}")[:_MARK]
