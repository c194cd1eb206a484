from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import jwt
import pytest

from app.core.errors import Unauthorised
from app.core.tokens import ACCESS_LIFE_S, Claims, Tokens, fingerprint, new_secret

KEY = b"k" * 32
NOW = datetime.now(UTC)
WHO, SESSION = str(uuid4()), str(uuid4())


def test_a_token_tells_who_and_in_which_session() -> None:
    assert Tokens(KEY).read(Tokens(KEY).issue("account", WHO, SESSION, NOW), "account") == Claims(
        UUID(WHO), UUID(SESSION)
    )


def test_an_old_token_is_told_apart_from_an_unusable_one() -> None:
    old = Tokens(KEY).issue("account", WHO, SESSION, NOW - timedelta(seconds=ACCESS_LIFE_S + 1))
    with pytest.raises(Unauthorised) as expired:
        Tokens(KEY).read(old, "account")
    assert expired.value.code == "token_expired"


def signed(**claims: object) -> str:
    """A token of ours with claims that we never write."""
    good = {"aud": "account", "sub": WHO, "sid": SESSION, "exp": NOW + timedelta(days=1)}
    return jwt.encode(good | claims, KEY, algorithm="HS256")


def unusable() -> dict[str, str]:
    good = Tokens(KEY).issue("account", WHO, SESSION, NOW)
    head, body, signature = good.split(".")
    later = {"exp": NOW + timedelta(days=1)}
    return {
        "another audience": Tokens(KEY).issue("operator", WHO, SESSION, NOW),
        "another key": Tokens(b"x" * 32).issue("account", WHO, SESSION, NOW),
        "no signature": jwt.encode({"aud": "account", "sub": WHO, "sid": SESSION} | later, "", algorithm="none"),
        "another algorithm": jwt.encode(
            {"aud": "account", "sub": WHO, "sid": SESSION} | later, KEY * 2, algorithm="HS512"
        ),
        "no session": jwt.encode({"aud": "account", "sub": WHO} | later, KEY, algorithm="HS256"),
        "no end": jwt.encode({"aud": "account", "sub": WHO, "sid": SESSION}, KEY, algorithm="HS256"),
        "a session that is no UUID": Tokens(KEY).issue("account", WHO, "1", NOW),
        "somebody who is no UUID": Tokens(KEY).issue("account", "7", SESSION, NOW),
        "a session that is no text": signed(sid=7),
        "a session that is a list": signed(sid=[]),
        "an end beyond time": signed(exp=float("inf")),
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
