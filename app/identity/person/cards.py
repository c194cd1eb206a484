"""The medical-insurance card with which somebody books: shown at binding, or now for the first time."""

from __future__ import annotations

from uuid import UUID

from app.core.errors import Conflict, Invalid, NotFound
from app.core.work import Work
from app.identity.person import people, rules
from app.identity.person.models import Person

_WRONG = "医保卡号格式不正确"
_ASK = "请填写医保卡号；不使用医保请选择自费"


def require_medical_card(work: Work, person_id: UUID, given: str | None) -> None:
    """Afterwards the person has a card. One that is `given` becomes the person's if there was none.

    Invalid `medical_card_invalid`; `medical_card_required` without any; Conflict `medical_card_differs` where another
    one is known.
    """
    card_no = rules.plain_card(given) if given else None
    if given and card_no is None:
        raise Invalid("medical_card_invalid", _WRONG, fields={"medical_card_no": _WRONG})
    row = work.session.get(Person, person_id, with_for_update={"key_share": True} if card_no else None)
    if row is None:
        raise NotFound
    if card_no is None:
        if row.medical_card_no_sealed is None:
            raise Invalid("medical_card_required", _ASK, fields={"medical_card_no": _ASK})
    elif row.medical_card_no_sealed is None:
        people.write_card(work, row, card_no)
        work.audit("person.medical_card", "person", row.id)
    elif row.medical_card_index != people.card_index(work.privacy, card_no):
        raise Conflict("medical_card_differs", "医保卡号与绑定时填写的不一致，请核对后重试")
