from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.core.privacy import Privacy
from app.core.settings import DEVELOPMENT_KEY
from app.identity.login.rules import STATE_LIFE, make_state, read_state

PRIVACY = Privacy(DEVELOPMENT_KEY)
NOW = datetime(2026, 11, 21, 8, 0, 0, 250_000, tzinfo=UTC)


def test_a_state_is_random_and_fits_wechats_rules() -> None:
    states = {make_state(PRIVACY, "wx1", NOW) for _ in range(50)}
    assert len(states) == 50
    assert all(state.isalnum() and state.isascii() and len(state) <= 128 for state in states)


def test_a_state_is_read_by_its_app_until_it_ends() -> None:
    state = make_state(PRIVACY, "wx1", NOW)
    known = read_state(PRIVACY, "wx1", state, NOW)
    assert known is not None and known[0] == state[:32]
    assert known[1] == (NOW + STATE_LIFE).replace(microsecond=0)
    assert read_state(PRIVACY, "wx1", state, NOW + STATE_LIFE - timedelta(seconds=1)) == known
    assert read_state(PRIVACY, "wx1", state, NOW + STATE_LIFE) is None
    assert read_state(PRIVACY, "wx2", state, NOW) is None


@given(st.integers(0, 79), st.sampled_from("0123456789abcdefXYZ"))
def test_no_character_can_be_changed(place: int, char: str) -> None:
    state = make_state(PRIVACY, "wx1", NOW)
    changed = state[:place] + char + state[place + 1 :]
    assert (read_state(PRIVACY, "wx1", changed, NOW) is not None) == (changed == state)


@given(st.text(max_size=130))
def test_any_text_is_no_state(text: str) -> None:
    assert read_state(PRIVACY, "wx1", text, NOW) is None
