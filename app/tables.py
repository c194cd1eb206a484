"""Every table of the product, for Alembic and for tests: importing this module fills `Base.metadata`."""

from __future__ import annotations

import app.appointment.models
import app.appointment.waiting.models
import app.audit.models
import app.claim.models.claims
import app.claim.models.decisions
import app.claim.models.e_bills
import app.claim.models.packages
import app.claim.policy.models
import app.core.idempotency
import app.core.quota
import app.core.schedule
import app.core.sequence
import app.core.steady
import app.core.tasks
import app.exchange.models
import app.identity.consent.models
import app.identity.credential.models
import app.identity.login.models
import app.identity.operators.models
import app.identity.person.models
import app.identity.session.models
import app.notification.models
import app.payment.models
import app.payout.models
import app.reconciliation.models
import app.record.models
import app.registration.models
import app.settlement.models
from app.core.db import Base

__all__ = ["Base", "app"]
metadata = Base.metadata
