"""All eleven at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

from demo.invariants import (
    inv_01_slots,
    inv_02_registrations,
    inv_03_trials,
    inv_04_bills,
    inv_05_e_bills,
    inv_06_payouts,
    inv_07_messages,
    inv_08_reconciliation,
    inv_09_audit,
    inv_10_secrets,
    inv_11_nothing_lost,
)
from demo.invariants.scene import Scene

HELD = "held"
# So many findings are told; the rest is counted.
TOLD = 5
_LOOK_AGAIN_S = 0.5
Check = Callable[[Scene], list[str]]
CHECKS: Mapping[str, Check] = {
    "inv_01": inv_01_slots.check,
    "inv_02": inv_02_registrations.check,
    "inv_03": inv_03_trials.check,
    "inv_04": inv_04_bills.check,
    "inv_05": inv_05_e_bills.check,
    "inv_06": inv_06_payouts.check,
    "inv_07": inv_07_messages.check,
    "inv_08": inv_08_reconciliation.check,
    "inv_09": inv_09_audit.check,
    "inv_10": inv_10_secrets.check,
    "inv_11": inv_11_nothing_lost.check,
}


def check_all(scene: Scene) -> dict[str, str]:
    """For each invariant "held", or what broke. A checker that could not look at everything has not seen it hold.

    What a day that is over has still under way, a notice or a report to an insurer, gets `patience_s` to come to rest.
    """
    _await_rest(scene)
    with ThreadPoolExecutor(len(CHECKS)) as pool:
        futures = {name: pool.submit(_checked, check, scene) for name, check in CHECKS.items()}
        return {name: future.result() for name, future in futures.items()}


def _await_rest(scene: Scene) -> None:
    end = time.monotonic() + (scene.patience_s if scene.finished else 0.0)
    while time.monotonic() < end and _checked(inv_11_nothing_lost.check, scene) != HELD:
        time.sleep(_LOOK_AGAIN_S)


def _checked(check: Check, scene: Scene) -> str:
    """A checker that fails must not hide what the others found."""
    try:
        return verdict(check(scene))
    except Exception as error:
        return f"could not be checked: {type(error).__name__}: {error}"[:500]


def verdict(findings: list[str]) -> str:
    if not findings:
        return HELD
    more = len(findings) - TOLD
    return "; ".join(findings[:TOLD]) + (f"; and {more} more" if more > 0 else "")
