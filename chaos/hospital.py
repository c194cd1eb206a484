"""`python -m chaos.hospital URL PORT`: the double of one hospital on a port that is known beforehand."""

from __future__ import annotations

import signal
import sys
import threading
from datetime import datetime

import psycopg

from bench.arrivals import SLOT
from mock_partners.his.__main__ import WORLD
from mock_partners.his.fill import hospital_url, prepare
from mock_partners.his.records import SHANGHAI
from mock_partners.his.server import His

# One of the day's slots becomes the one that everybody books.
_ENDLESS_SLOT = """
UPDATE gh_hy SET hyid = %(key)s, xhs = 1000000, zt = '1' WHERE hyid = (
    SELECT min(hyid) FROM gh_hy WHERE NOT EXISTS (SELECT 1 FROM gh_hy WHERE hyid = %(key)s)
    AND hyid NOT IN (SELECT hyid FROM gh_yy))
"""


def main() -> None:
    database_url, port = sys.argv[1], int(sys.argv[2])
    today = datetime.now(SHANGHAI).date().isoformat()
    prepare(database_url, {**WORLD, "hospitals": WORLD["hospitals"][:1], "seed": 1, "business_date": today}, 10)
    with psycopg.connect(hospital_url(database_url, "builtin", "H1").replace("+psycopg", ""), autocommit=True) as db:
        db.execute(_ENDLESS_SLOT, {"key": SLOT})
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    hospital = His("H1", hospital_url(database_url, "builtin", "H1"), "builtin")
    hospital.start(port)
    stopped.wait()
    hospital.stop()


if __name__ == "__main__":
    main()
