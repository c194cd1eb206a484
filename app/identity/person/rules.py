"""What makes a document, a name, a phone plausible; ages; how long things wait. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from app.core.ids import age_on, birth_date_of, is_identity_number, sex_of

CHILD_AGE = 14  # 个人信息保护法 article 31: below it the guardian consents
ADULT_AGE = 18
PENDING_LIFE = timedelta(minutes=30)
CODE_LIFE = timedelta(minutes=10)
CODE_PAUSE = timedelta(seconds=60)
CODE_TRIES = 5
PULL_LIMIT = timedelta(seconds=10)  # a patient who looks does not wait longer for the hospital's first answer
PULL_PAUSE = (timedelta(seconds=5), timedelta(minutes=10))  # the shortest and the longest before it is asked again
REST_PAUSE = (timedelta(minutes=2), timedelta(hours=1))  # the same where the rest follows in the source's idle time
PULL_LIFE = timedelta(days=1)  # afterwards a hospital is asked once a night
CODES_A_DAY = 10  # for one phone, and for one account
# Typed or pasted instead of the middle dot · (U+00B7) between the parts of a name, GB/T 40473 note.
_DOTS = "•・．‧∙⋅●｡。."
# 〇, the unified and compatibility ideographs, and planes 2 and 3 whole: Python's own tables end before GB 18030's.
_HAN = (("〇", "〇"), ("\u3400", "\u4dbf"), ("\u4e00", "\u9fff"), ("\uf900", "\ufaff"), ("\U00020000", "\U000323af"))
_PHONE = re.compile(r"1[3-9][0-9]{9}", re.ASCII)


Fits = Callable[[str], bool]


@dataclass(frozen=True)
class DocumentKind:
    """`fits(number)` checks the form; `speaks` says whether the number holds birth date and sex."""

    chinese: str
    fits: Fits
    speaks: bool = False


def _form(pattern: str) -> Fits:
    compiled = re.compile(pattern, re.ASCII)
    return lambda number: compiled.fullmatch(number) is not None


def _is_hmt_number(number: str) -> bool:
    """港澳台居民居住证: 81, 82 or 83 in place of a province, otherwise as an identity card."""
    return number[:2] in ("81", "82", "83") and is_identity_number(number)


def _is_foreign_permit(number: str) -> bool:
    """外国人永久居留身份证: 9 and a check digit as GB 11643 since 2023; before, three letters and twelve digits."""
    return is_identity_number(number) if number[:1] == "9" else _form(r"[A-Z]{3}[0-9]{12}")(number)


DOCUMENTS = {
    "id_card": DocumentKind("居民身份证", is_identity_number, speaks=True),
    "hmt_residence_permit": DocumentKind("港澳台居民居住证", _is_hmt_number, speaks=True),
    "foreign_permanent_residence": DocumentKind("外国人永久居留身份证", _is_foreign_permit),
    "passport": DocumentKind("护照", _form(r"(?=.*[0-9])[A-Z0-9]{5,17}")),
    "birth_certificate": DocumentKind("出生医学证明", _form(r"[A-Z][0-9]{9}")),
}


def plain_number(text: str) -> str:
    """A document or card number as it is compared: half-width capitals without blanks and hyphens."""
    return re.sub(r"[\s-]", "", _half_width(text)).upper()


def plain_phone(text: str) -> str:
    return re.sub(r"^(\+?86)(?=1[3-9])", "", re.sub(r"[\s-]", "", _half_width(text)))


def plain_name(text: str) -> str:
    """A name as it is compared: one kind of dot, single blanks. Characters are not normalised otherwise: a rare
    character (GB 18030-2022) must stay the one on the card."""
    name = re.sub(r"\s+", " ", _half_width(text).strip())
    if any(_is_han(c) for c in name):
        name = "".join("·" if c in _DOTS else c for c in name)
    return re.sub(r"\s*·\s*", "·", name)


def is_phone(number: str) -> bool:
    """A mobile number of mainland China."""
    return _PHONE.fullmatch(number) is not None


def is_card(number: str) -> bool:
    """A medical-insurance card or social-security number as the regions write them."""
    return _form(r"[A-Z0-9]{4,32}")(number)


def plain_card(number: str) -> str | None:
    """The card number as it is compared; None for what no card can bear."""
    card = plain_number(number)
    return card if is_card(card) else None


def is_patient_number(answered: object) -> bool:
    """What a hospital may answer as its number of a person: a short text, or nothing for somebody it does not know."""
    if not isinstance(answered, str):
        return answered is None
    return 1 <= len(answered) <= 64 and answered.isprintable() and not answered.isspace()


def is_name(name: str) -> bool:
    """Chinese characters of any plane, or letters; dots, blanks, hyphens and apostrophes only between them."""
    if not 1 <= len(name) <= 50 or not (_is_letter(name[0]) and _is_letter(name[-1])):
        return False
    return all(_is_letter(c) or unicodedata.category(c) == "Mn" or c in "·. -'’" for c in name)


def is_document(kind: str, number: str) -> bool:
    return kind in DOCUMENTS and DOCUMENTS[kind].fits(number)


def spoken_facts(kind: str, number: str) -> tuple[date, str] | None:
    """(birth date, sex) that the number itself says; None where it says nothing."""
    return (birth_date_of(number), sex_of(number)) if DOCUMENTS[kind].speaks else None


def is_child(birth_date: date, day: date) -> bool:
    return age_on(birth_date, day) < CHILD_AGE


def is_adult(birth_date: date, day: date) -> bool:
    return age_on(birth_date, day) >= ADULT_AGE


def asks_again_after(times_asked: int) -> timedelta:
    """The pause before the hospital is asked again: 2, 4, 8 … at most 60 seconds."""
    return timedelta(seconds=min(2**times_asked, 60))


def pulls_again_after(waited: timedelta, *, more_follows: bool) -> timedelta | None:
    """The pause before a hospital is asked for a patient's records again: as long as it was waited for, within limits;
    None once it has been waited for too long to ask before the night."""
    shortest, longest = REST_PAUSE if more_follows else PULL_PAUSE
    return None if waited >= PULL_LIFE else min(max(waited, shortest), longest)


def _half_width(text: str) -> str:
    """Full-width letters, digits and signs, as Chinese keyboards type them, as ASCII."""
    return "".join(chr(ord(c) - 0xFEE0) if "！" <= c <= "～" else c for c in text)


def _is_letter(char: str) -> bool:
    return unicodedata.category(char) in ("Lu", "Ll") or _is_han(char)


def _is_han(char: str) -> bool:
    return any(first <= char <= last for first, last in _HAN)
