"""Helpers for tests of the exchange."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from app.core.work import Runtime
from app.exchange import service
from tests.app.partner import PartnerClient


def write(runtime: Runtime, party_id: UUID, kind: str = "register", lane: str = "registration", **how: Any) -> str:
    """One committed command; `in_s` is the time to its deadline, `answer_in_s` to the end of the wait for its answer.
    Answers its id as the partner sees it."""
    body = how.pop("body", {})
    with runtime.work() as work:
        if "in_s" in how:
            how["deadline"] = work.now + timedelta(seconds=how.pop("in_s"))
        if "answer_in_s" in how:
            how["answer_by"] = work.now + timedelta(seconds=how.pop("answer_in_s"))
        return str(service.command(work, party_id, kind, body, lane=lane, subject=None, **how))


def elsewhere(partner: PartnerClient) -> PartnerClient:
    """The same program for another thread: a Flask test client belongs to one."""
    return replace(partner, client=partner.client.application.test_client())
