"""Insured people by medical card, and the balance of each personal account."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from mock_partners.medical_insurance.refusal import Refusal, text
from mock_partners.memory import Table

LARGEST_FIRST_BALANCE_FEN = 50_000


class Cards:
    """`open_enrolment`: whoever is not known yet becomes insured, with a balance that follows from the card number."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self.open_enrolment = True

    def put(self, card: Mapping[str, Any]) -> None:
        self._table.put(
            card["card_no"],
            {
                "card_no": card["card_no"],
                "name": card.get("name") or "",
                "document_no": card.get("document_no") or "",
                "account_fen": int(card.get("account_fen", 0)),
                "insured": bool(card.get("insured", True)),
            },
        )

    def person(self, said: Mapping[str, Any]) -> dict[str, Any]:
        """The card that a request names; raises Refusal if it is nobody's, not insured or another person's."""
        number = text(said, "mdtrt_cert_no")
        if number not in self._table and self.open_enrolment:
            self.put(_newcomer(number, said))
        card = self._table.get(number)
        if card is None or not card["insured"] or not _is_same(card, said):
            raise Refusal("PERSON")
        return card

    def balance_fen(self, number: str) -> int:
        return int(self._table[number]["account_fen"])

    def change(self, number: str, by_fen: int) -> None:
        card = self._table[number]
        self._table.put(number, {**card, "account_fen": card["account_fen"] + by_fen})


def person_no(card_no: str) -> str:
    return "P" + hashlib.sha256(card_no.encode()).hexdigest()[:16].upper()


def _newcomer(number: str, said: Mapping[str, Any]) -> dict[str, Any]:
    seed = int(hashlib.sha256(number.encode()).hexdigest(), 16)
    return {
        "card_no": number,
        "name": said.get("psn_name"),
        "document_no": said.get("certno"),
        "account_fen": seed % LARGEST_FIRST_BALANCE_FEN,
    }


def _is_same(card: Mapping[str, Any], said: Mapping[str, Any]) -> bool:
    pairs = ((card["name"], said.get("psn_name")), (card["document_no"], said.get("certno")))
    return all(not known or not named or known.upper() == str(named).upper() for known, named in pairs)
