"""What is encrypted to a partner opens with the partner's key alone; what is no public key is refused unsaid."""

from __future__ import annotations

from typing import Any

import pytest
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from app.core.jwe import ALGORITHMS, MAX_BYTES, encrypt, read_public_key

KEY = ECKey.generate_key("P-256")
PUBLIC: dict[str, Any] = dict(KEY.as_dict(private=False))


def test_it_opens_with_the_key_that_the_message_names() -> None:
    text = encrypt("欧阳·娜".encode(), read_public_key(PUBLIC))
    opened = jwe.decrypt_compact(text, KEY, algorithms=ALGORITHMS)
    assert (opened.plaintext or b"").decode() == "欧阳·娜"
    assert opened.headers() == {"alg": "ECDH-ES+A256KW", "enc": "A256GCM", "kid": KEY.thumbprint()} | {
        "epk": opened.headers()["epk"]
    }
    with pytest.raises(JoseError):
        jwe.decrypt_compact(text, ECKey.generate_key("P-256"), algorithms=ALGORITHMS)


def test_nothing_is_encrypted_that_nobody_has_to_open() -> None:
    with pytest.raises(ValueError, match="more than one message holds"):
        encrypt(b"a" * (MAX_BYTES + 1), read_public_key(PUBLIC))


def test_only_what_counts_is_kept_of_a_key() -> None:
    kept = read_public_key(PUBLIC | {"kid": "of their own", "use": "enc", "more": "1"})
    assert kept == {name: PUBLIC[name] for name in ("kty", "crv", "x", "y")} | {"kid": KEY.thumbprint()}


@pytest.mark.parametrize(
    "jwk",
    [
        dict(KEY.as_dict(private=True)),
        dict(ECKey.generate_key("P-384").as_dict(private=False)),
        dict(OKPKey.generate_key("X25519").as_dict(private=False)),
        dict(RSAKey.generate_key(2048).as_dict(private=False)),
        PUBLIC | {"x": PUBLIC["y"]},
        PUBLIC | {"x": "é"},
        PUBLIC | {"x": 5},
        {"kty": "EC", "crv": "P-256"},
        {},
    ],
)
def test_what_is_no_public_key_on_the_curve_is_refused(jwk: dict[str, Any]) -> None:
    with pytest.raises(ValueError) as refusal:
        read_public_key(jwk)
    assert not [value for value in map(str, jwk.values()) if len(value) > 8 and value in str(refusal.value)]
