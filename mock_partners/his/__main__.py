"""`python -m mock_partners.his --database-url URL [--his-data DIR]`: fill and serve two hospitals until stopped."""

from __future__ import annotations

import argparse
import json
import signal
import threading
from datetime import datetime

from mock_partners.his.fill import hospital_url, prepare
from mock_partners.his.records import SHANGHAI
from mock_partners.his.server import His

WORLD = {
    "hospitals": [{"code": "H1"}, {"code": "H2"}],
    "insurers": [
        {"code": "I1", "product_name": "安心医疗保险", "product_filing_no": "C00000132512026000001"},
        {"code": "I2", "product_name": "康泰门诊保险", "product_filing_no": "C00000232512026000002"},
    ],
}
"""Two hospitals and two insurers for a look at the data without the rest of the demo."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m mock_partners.his", description=__doc__)
    parser.add_argument("--database-url", required=True)
    parser.add_argument("--his-data", metavar="DIR", help="folder of a Synthea sample; without it the built-in filling")
    parser.add_argument("--patients", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--date", default=datetime.now(SHANGHAI).date().isoformat(), help="business date, YYYY-MM-DD")
    options = parser.parse_args()
    dialect = "synthea" if options.his_data else "builtin"
    world = {**WORLD, "seed": options.seed, "business_date": options.date}
    prepare(options.database_url, world, options.patients, options.his_data)
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    codes = [hospital["code"] for hospital in WORLD["hospitals"]]
    doubles = [His(c, hospital_url(options.database_url, dialect, c), dialect, seed=str(options.seed)) for c in codes]
    print(json.dumps({"ready": {double.name: double.start() for double in doubles}}), flush=True)
    stopped.wait()
    for double in doubles:
        double.stop()


if __name__ == "__main__":
    main()
