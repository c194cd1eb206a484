from __future__ import annotations

import socket
from datetime import date
from typing import Any

import pytest

from demo import world
from demo.numbers import with_luhn
from demo.world import Filling


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    return world.make(Filling(date(2026, 3, 5), "builtin", 8), world.new_master_key())


def test_one_pair_of_merchant_and_app_is_left_unbound(made: dict[str, Any]) -> None:
    bound = {merchant["owner"]: set(merchant["app_ids"]) for merchant in made["wechat"]["merchants"]}
    mini = world.app_of(made, "H2", "mini")["app_id"]
    assert mini in bound["I1"]
    assert mini not in bound["I2"]
    assert all(bound["I2"] >= {world.app_of(made, code, "oa")["app_id"]} for code in ("H1", "H2"))


def test_each_insurer_has_two_people_to_approve(made: dict[str, Any]) -> None:
    for insurer in made["insurers"]:
        approvers = [one for one in made["operators"] if one["party"] == insurer["code"]]
        assert len(approvers) == 2
        assert {one["role"] for one in approvers} == {"payout_approver"}


def test_addresses_are_kept_unless_a_port_is_taken(made: dict[str, Any]) -> None:
    world.settle(made, "postgresql://localhost/his")
    before = dict(made["ports"])
    world.settle(made, "postgresql://localhost/his")
    assert made["ports"] == before
    with socket.socket() as other:
        other.bind(("127.0.0.1", before["web"]))
        world.settle(made, "postgresql://localhost/his")
    changed = {name for name, port in made["ports"].items() if port != before[name]}
    assert changed == {"web"}
    app = world.app_of(made, "H1", "oa")
    assert app["callback_url"].startswith(made["platform"]["public_url"])
    assert len(set(made["ports"].values())) == len(before)


def test_a_card_number_carries_its_check_digit() -> None:
    assert with_luhn("7992739871") == "79927398713"  # the example of ISO/IEC 7812-1's annex, as often quoted
