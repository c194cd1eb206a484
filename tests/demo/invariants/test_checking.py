from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

from demo.invariants.checking import CHECKS, HELD, check_all, verdict
from demo.invariants.scene import Scene
from tests.demo.invariants.kit import Ground, Town, scene_of


def test_eleven_verdicts_over_a_day_that_has_not_begun(town: Town, fresh_redis_url: str, tmp_path: Path) -> None:
    verdicts = check_all(scene_of(town.ground, redis_url=fresh_redis_url, logs=tmp_path, finished=False))
    assert verdicts == {f"inv_{number:02}": HELD for number in range(1, 12)}


def test_what_broke_stands_beside_what_held(town: Town, fresh_redis_url: str) -> None:
    town.bill("b1", self_pay_fen=1)
    town.ground.add("slot", hospital_id=town.ids["H1"], key="s1", capacity=1, allotment=1, taken=1)
    verdicts = check_all(scene_of(town.ground, redis_url=fresh_redis_url, finished=False))
    broken = {name: told for name, told in verdicts.items() if told != HELD}
    assert set(broken) == {"inv_01", "inv_04"}
    assert "slot H1/s1" in broken["inv_01"]


def test_what_is_under_way_at_the_end_gets_a_moment(town: Town, fresh_redis_url: str) -> None:
    town.claim("CL1", "paying")
    scene = scene_of(town.ground, redis_url=fresh_redis_url)
    finish = threading.Timer(0.3, town.ground.run, ["UPDATE claim SET status = 'needs_documents'"])
    finish.start()
    assert check_all(scene)["inv_11"] == HELD
    finish.join()
    town.ground.run("UPDATE claim SET status = 'paying'")
    assert "claim CL1 is still paying" in check_all(replace(scene, patience_s=0.1))["inv_11"]


def test_a_checker_that_cannot_look_has_not_seen_it_hold(ground: Ground, fresh_redis_url: str) -> None:
    scene: Scene = scene_of(ground, redis_url="redis://127.0.0.1:1", finished=False)
    verdicts = check_all(scene)
    assert verdicts["inv_10"].startswith("could not be checked: ConnectionError")
    assert verdicts["inv_01"] == HELD


def test_a_long_list_of_findings_is_counted() -> None:
    assert verdict([]) == HELD
    assert verdict(["a", "b"]) == "a; b"
    assert verdict(list("abcdefg")) == "a; b; c; d; e; and 2 more"
    assert len(CHECKS) == 11
