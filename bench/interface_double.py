"""`python -m bench.interface_double N WINDOW_S`: the medical-insurance interface's double, alone in its process.

Reads its latency as a line of JSON, prints its URL, and ends when its standard input does.
"""

from __future__ import annotations

import json
import os
import sys

from mock_partners.medical_insurance.server import MedicalInsurance


def main() -> None:
    n, window_s = int(sys.argv[1]), float(sys.argv[2])
    double = MedicalInsurance({"code": "M1", "n": n, "window_s": window_s})
    double.behave(latency=json.loads(sys.stdin.readline()))
    print(double.start(), flush=True)
    sys.stdin.read()
    os._exit(0)  # threads that still think are of no use to anybody


if __name__ == "__main__":
    main()
