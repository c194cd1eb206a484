"""What resources are made of: entries that know each other, identifiers, codes, exact amounts.

Amounts are CNY; decimals are exact from the package to the JSON text, in which FHIR wants numbers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from app.core.money import yuan

Resource = dict[str, Any]
SYSTEM = "urn:zhipei"
# https://terminology.hl7.org: the value sets that some elements require or prefer.
TERMS = "http://terminology.hl7.org/CodeSystem"
_DECIMAL = re.compile(r'"\\u0000([-0-9.]+)\\u0000"')


@dataclass
class Entries:
    """Resources by their place in the package: `patient`, `visit:V1`, `bill:…`. Their ids are derived from claim number
    and place, so the same package gives the same bundle."""

    claim_no: str
    resources: dict[str, Resource] = field(default_factory=dict)

    def url(self, place: str) -> str:
        return f"urn:uuid:{uuid5(NAMESPACE_URL, f'{SYSTEM}:{self.claim_no}:{place}')}"

    def to(self, place: str) -> Resource:
        return {"reference": self.url(place)}

    def add(self, place: str, resource_type: str, **elements: Any) -> None:
        present = {name: value for name, value in elements.items() if value not in (None, [], {})}
        self.resources[place] = {"resourceType": resource_type, "id": self.url(place)[9:], **present}


def to_json(resource: Resource) -> str:
    """Decimals are written as they are: no float comes between. NUL, which marks them, stands in no data of ours."""
    text = json.dumps(resource, ensure_ascii=False, separators=(",", ":"), default=lambda value: f"\0{value}\0")
    return _DECIMAL.sub(r"\1", text)


def identifier(kind: str, value: str) -> Resource:
    return {"system": f"{SYSTEM}:{kind}", "value": value}


def coding(kind: str, code: str) -> Resource:
    return {"system": f"{SYSTEM}:{kind}", **_code(code)}


def coded(row: Mapping[str, Any]) -> Resource:
    """A code with its system and edition, none invented."""
    system = f"{SYSTEM}:code:{row['code_system']}"
    coding = {"system": system, "version": row["code_edition"], **_code(row["code"]), "display": row["name"]}
    return {"coding": [coding], "text": row["name"]}


def _code(text: str) -> Resource:
    """As FHIR writes a code: no blanks around it and single ones in it, however it was padded where it comes from. The
    package has it as it came. One of blanks alone is none."""
    words = text.split()
    return {"code": " ".join(words)} if words else {}


def money(amount_fen: int) -> Resource:
    return {"value": Decimal(yuan(amount_fen)), "currency": "CNY"}
