from __future__ import annotations

from datetime import UTC, datetime, timedelta

import jwt
import pytest

from app.core.errors import Unauthorised
from app.core.tokens import ACCESS_LIFE_S, Tokens, fingerprint, new_secret

KEY = b"k" * 32
NOW = datetime.now(UTC)


def test_a_token_tells_who_and_in_which_session() -> None:
    claims = Tokens(KEY).read(Tokens(KEY).issue("account", "7", "s1", NOW), "account")
    assert (claims["sub"], claims["sid"]) == ("7", "s1")


def test_an_old_token_is_told_apart_from_an_unusable_one() -> None:
    old = Tokens(KEY).issue("account", "7", "s1", NOW - timedelta(seconds=ACCESS_LIFE_S + 1))
    with pytest.raises(Unauthorised) as expired:
        Tokens(KEY).read(old, "account")
    assert expired.value.code == "token_expired"


def unusable() -> dict[str, str]:
    good = Tokens(KEY).issue("account", "7", "s1", NOW)
    head, body, signature = good.split(".")
    later = {"exp": NOW + timedelta(minutes=5)}
    return {
        "another audience": Tokens(KEY).issue("operator", "7", "s1", NOW),
        "another key": Tokens(b"x" * 32).issue("account", "7", "s1", NOW),
        "no signature": jwt.encode({"aud": "account", "sub": "7", "sid": "s"} | later, "", algorithm="none"),
        "another algorithm": jwt.encode({"aud": "account", "sub": "7", "sid": "s"} | later, KEY * 2, algorithm="HS512"),
        "no session": jwt.encode({"aud": "account", "sub": "7"} | later, KEY, algorithm="HS256"),
        "no end": jwt.encode({"aud": "account", "sub": "7", "sid": "s"}, KEY, algorithm="HS256"),
        "cut": f"{head}.{body}.{signature[:-2]}",
        "no token": "token",
        "empty": "",
    }


@pytest.mark.parametrize("token", unusable().values(), ids=unusable())
def test_an_unusable_token_is_refused(token: str) -> None:
    with pytest.raises(Unauthorised) as refused:
        Tokens(KEY).read(token, "account")
    assert refused.value.code == "token_invalid"


def test_opaque_tokens_are_random_and_stored_as_fingerprints() -> None:
    made = {new_secret() for _ in range(100)}
    assert len(made) == 100 and min(len(one) for one in made) >= 43
    one = made.pop()
    assert fingerprint(one) == fingerprint(one) and one not in fingerprint(one)
