"""Checking a person against the source's patient list, for hospitals whose system has no interface for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hospital_agent.errors import ConfigError, Refused
from hospital_agent.mapping.model import SourceMapping
from hospital_agent.source.pull import PatientLane


class PatientList:
    """Verifies name, document and phone against `[entities.patient]` of the mapping."""

    def __init__(self, mapping: SourceMapping, lane: PatientLane) -> None:
        if "patient" not in mapping.entities:
            raise ConfigError("[his] url is missing and the mapping has no [entities.patient] to check people against")
        self._lane, self._entity = lane, mapping.entities["patient"]

    def verify(self, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        """The patient number, or None for a person the hospital does not know yet. Raises Refused, Temporary."""
        columns = self._entity.fields["document_no"].columns
        found = self._lane.find(self._entity, columns, [asked["document_no"]])
        known = [r for r in found.rows if r.data["document_type"] in (None, asked["document_type"])]
        if not known:
            return {"patient_no": None}
        if known[0].data["name"] != asked["name"]:
            raise Refused("name_mismatch")
        if known[0].data["phone"] not in (None, asked["phone"]):
            raise Refused("phone_mismatch")
        return {"patient_no": known[0].key}
