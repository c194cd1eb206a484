"""All doubles of a world start together, on the ports they were given, or not at all."""

from __future__ import annotations

import socket
from pathlib import Path

import httpx
import pytest

from mock_partners.company import Company
from mock_partners.insurer.server import Insurer
from mock_partners.insurer_s200.server import InsurerS200
from tests.mock_partners.worlds import small_world

NAMES = {"wechat", "H1", "I1", "M1", "B1", "sms", "mail", "e_bill_authority"}


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def test_every_double_answers_where_it_should(tmp_path: Path) -> None:
    world, chosen, in_url = small_world(), free_port(), free_port()
    world["sms"]["url"] = f"http://127.0.0.1:{in_url}"
    company = Company(world, tmp_path / "state", {"bank": 0, "B1": chosen})
    urls = company.start()
    try:
        assert urls.keys() == NAMES
        assert urls["B1"].endswith(f":{chosen}")
        assert urls["sms"].endswith(f":{in_url}")
        for url in urls.values():
            assert httpx.get(f"{url}/__mock__/health").status_code == 200
    finally:
        company.stop()
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{urls['mail']}/__mock__/health")


def test_if_one_cannot_start_none_goes_on_running(tmp_path: Path) -> None:
    first = free_port()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        company = Company(small_world(), tmp_path, {"wechat": first, "mail": taken.getsockname()[1]})
        with pytest.raises((OSError, SystemExit)):
            company.start()
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{first}/__mock__/health")


def test_an_insurer_speaks_the_dialect_that_its_world_names(tmp_path: Path) -> None:
    world = small_world()
    world["insurers"].append(world["insurers"][0] | {"code": "I2", "dialect": "s200"})
    doubles = Company(world, tmp_path).doubles
    assert (type(doubles["I1"]), type(doubles["I2"])) == (Insurer, InsurerS200)


def test_the_day_of_the_world_is_the_day_of_its_doubles(tmp_path: Path) -> None:
    company = Company(small_world(), tmp_path)
    urls = company.start()
    try:
        settings = httpx.post(f"{urls['B1']}/__mock__/settings", json={}).json()
        assert settings["business_date"] == "2026-11-21"
    finally:
        company.stop()
