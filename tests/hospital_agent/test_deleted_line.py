"""A fee line that the hospital deletes is gone on the platform too, and its bill adds up."""

from __future__ import annotations

from pathlib import Path

from app.record import queries
from hospital_agent.__main__ import main
from tests.app.kit import DrainAll
from tests.hospital_agent.exchange_site import Platform, hospital
from tests.hospital_agent.small_his import open_small, run
from tests.hospital_agent.test_with_exchange import platform  # noqa: F401

from tests.app.conftest import client, drain_all, gateways, here, made_apps, runtime, settings, world  # noqa: F401  # isort: skip


def test_a_deleted_line_is_gone_and_its_bill_balances(
    platform: Platform,  # noqa: F811
    drain_all: DrainAll,  # noqa: F811
    source_url: str,
    tmp_path: Path,
) -> None:
    path = hospital(tmp_path, platform, source_url)
    source = open_small(source_url, tmp_path, fill=False)

    def bill() -> tuple[int, str | None, list[tuple[int, int]]]:
        assert main(["--config", str(path), "--once"]) == 0
        drain_all("record.apply")
        with platform.runtime.read() as session:
            found = queries.bill_by_key(session, platform.world.party["H1"], "B3")
            assert found is not None
            lines = [(line.line_no, line.amount_fen) for line in queries.lines(session, [found.id])]
            return found.total_fen, found.refused_reason, lines

    run(source, "INSERT INTO mx VALUES ('B3', 2, '葡萄糖', 1, 1, 1)")
    run(source, "UPDATE jsd SET zje = zje + 1, zf = zf + 1 WHERE jsdh = 'B3'")
    assert bill() == (3103, None, [(1, 3003), (2, 100)])
    run(source, "DELETE FROM mx WHERE jsdh = 'B3' AND xh = 2")
    assert bill() == (3103, None, [(1, 3003), (2, 100)]), "the bill says nothing yet"
    run(source, "UPDATE jsd SET zje = zje - 1, zf = zf - 1 WHERE jsdh = 'B3'")
    assert bill() == (3003, None, [(1, 3003)])
    source.engine.dispose()
