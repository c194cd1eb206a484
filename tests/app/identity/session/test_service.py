"""Two clients refresh with the same token at once: one of them holds a stolen one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from app.core.work import Actor
from app.identity.login import service
from app.identity.session.service import TokenPair
from tests.app.identity.kit import Clinic


def test_one_of_many_refreshes_at_once_wins_and_then_nobody(clinic: Clinic) -> None:
    token = clinic.log_in().tokens["refresh_token"]

    def refresh(_: int) -> TokenPair | None:
        with clinic.runtime.work(Actor("anyone", "-")) as work:
            return service.renew(work, token)

    with ThreadPoolExecutor(4) as pool:
        pairs = [pair for pair in pool.map(refresh, range(4)) if pair is not None]
    assert len(pairs) == 1
    with clinic.runtime.work() as work:
        assert service.renew(work, pairs[0].refresh_token) is None
