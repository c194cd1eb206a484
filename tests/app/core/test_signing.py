"""Keys that we sign with: known by their thumbprint, several announced, one in use."""

from __future__ import annotations

from base64 import b64decode, b64encode

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from joserfc.jwk import OKPKey

from app.core.settings import Settings
from app.core.signing import SigningKey, SigningKeys, read_seeds
from app.wiring import make_runtime

OLD, NEW = bytes(range(32)), bytes(range(1, 33))


def test_a_signature_is_verified_with_the_public_key() -> None:
    key = SigningKey(OLD)
    public = Ed25519PublicKey.from_public_bytes(b64decode(key.public_key))
    public.verify(b64decode(key.sign(b"root")), b"root")


def test_the_id_is_the_keys_thumbprint() -> None:
    """As another library computes it (RFC 7638)."""
    public = Ed25519PublicKey.from_public_bytes(b64decode(SigningKey(OLD).public_key))
    assert SigningKey(OLD).key_id == OKPKey.import_key(public).thumbprint()
    assert SigningKey(OLD).key_id != SigningKey(NEW).key_id


def test_the_first_signs_and_all_are_announced() -> None:
    keys = SigningKeys([NEW, OLD])
    assert keys.current.key_id == SigningKey(NEW).key_id
    assert [key.key_id for key in keys.announced] == [SigningKey(NEW).key_id, SigningKey(OLD).key_id]


@pytest.mark.parametrize("text", ["!", b64encode(b"short").decode(), b64encode(OLD).decode() + ",", "é"])
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        read_seeds(text)
    with pytest.raises(ValueError) as refusal:
        Settings(package_signing_keys=text)
    assert text not in str(refusal.value) or text == "!"


def test_settings_choose_the_keys_and_without_them_the_master_key_does() -> None:
    chosen = ",".join(b64encode(seed).decode() for seed in (NEW, OLD))
    runtime = make_runtime(Settings(package_signing_keys=chosen), routes={}, ring=lambda kinds: None)
    assert [key.key_id for key in runtime.signing.announced] == [SigningKey(NEW).key_id, SigningKey(OLD).key_id]
    derived = make_runtime(Settings(), routes={}, ring=lambda kinds: None)
    assert derived.signing.current.key_id == SigningKey(derived.privacy.signing_seed).key_id
