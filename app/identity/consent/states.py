from __future__ import annotations

from enum import StrEnum

from app.core.machine import Machine
from app.identity.consent.models import Consent


class ConsentState(StrEnum):
    IN_FORCE = "in_force"
    WITHDRAWN = "withdrawn"


consents = Machine("consent", Consent, {(ConsentState.IN_FORCE, "withdraw"): ConsentState.WITHDRAWN})
