from __future__ import annotations

from enum import StrEnum

from app.core.machine import Machine
from app.identity.person.models import Binding


class BindingState(StrEnum):
    PENDING = "pending"  # the hospital is asked
    LIVE = "live"
    REFUSED = "refused"
    EXPIRED = "expired"  # the hospital did not answer in time
    REVOKED = "revoked"


bindings = Machine(
    "binding",
    Binding,
    {
        (BindingState.PENDING, "confirm"): BindingState.LIVE,
        (BindingState.PENDING, "refuse"): BindingState.REFUSED,
        (BindingState.PENDING, "expire"): BindingState.EXPIRED,
        (BindingState.PENDING, "revoke"): BindingState.REVOKED,
        (BindingState.LIVE, "revoke"): BindingState.REVOKED,
    },
)
