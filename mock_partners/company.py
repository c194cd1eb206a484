"""All doubles of a world, made and started together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mock_partners.bank import Bank
from mock_partners.double import Double
from mock_partners.e_bill_authority.server import EBillAuthority
from mock_partners.his.server import His
from mock_partners.insurer.server import Insurer
from mock_partners.insurer_s200.server import InsurerS200
from mock_partners.mail import Mail
from mock_partners.medical_insurance.server import MedicalInsurance
from mock_partners.sms import Sms
from mock_wechat.server import WeChat

World = Mapping[str, Any]
# By the `dialect` of an insurer in the world; native where it names none.
INSURERS: dict[str, type[Insurer]] = {"native": Insurer, "s200": InsurerS200}


class Company:
    """`wechat`, `sms`, `mail`, `e_bill_authority` and every partner by its code. `ports`: name -> port, else the port
    of its URL."""

    def __init__(self, world: World, state_dir: Path, ports: Mapping[str, int] | None = None) -> None:
        state_dir.mkdir(parents=True, exist_ok=True)
        self.doubles = dict(_made(world, state_dir))
        self._ports = {**_ports_of(world), **(ports or {})}

    def start(self) -> dict[str, str]:
        """Start every double; returns name -> URL. If one cannot start, those that did are stopped again."""
        urls: dict[str, str] = {}
        try:
            for name, double in self.doubles.items():
                urls[name] = double.start(self._ports.get(name, 0))
        except BaseException:
            self._stop(urls)
            raise
        return urls

    def stop(self) -> None:
        self._stop(self.doubles)

    def _stop(self, names: Mapping[str, Any]) -> None:
        for name in reversed(list(names)):
            self.doubles[name].stop()


def make_insurer(entry: World, platform: World, *, state_dir: Path | None = None) -> Insurer:
    """The double of an insurer of a world, in the dialect that it speaks."""
    return INSURERS[entry.get("dialect", "native")](entry, platform, state_dir=state_dir)


def _made(world: World, state_dir: Path) -> Iterator[tuple[str, Double]]:
    settings = {"business_date": world["business_date"], **world["wechat"].get("settings", {})}
    yield "wechat", WeChat({**world["wechat"], "settings": settings}, state_dir=state_dir)
    for hospital in world["hospitals"]:
        yield hospital["code"], _his(hospital, str(world["seed"]), state_dir)
    for insurer in world["insurers"]:
        yield insurer["code"], make_insurer(insurer, world["platform"], state_dir=state_dir)
    interface = world["medical_insurance"]
    made = MedicalInsurance(interface, business_date=world["business_date"], state_dir=state_dir)
    yield interface["code"], made
    yield world["bank"]["code"], Bank(world, state_dir=state_dir)
    his_urls = [hospital["his_database_url"] for hospital in world["hospitals"]]
    yield "e_bill_authority", EBillAuthority(world["e_bill_authority"], his_urls, state_dir=state_dir)
    yield "sms", Sms(world["sms"], state_dir=state_dir)
    yield "mail", Mail(world["mail"], state_dir=state_dir)


def _his(hospital: Mapping[str, Any], seed: str, state_dir: Path) -> Double:
    url, dialect = hospital["his_database_url"], hospital["his_dialect"]
    return His(hospital["code"], url, dialect, seed=seed, state_dir=state_dir)


def _ports_of(world: World) -> dict[str, int]:
    urls = {name: world[name].get("url") for name in ("wechat", "sms", "mail", "e_bill_authority")}
    urls |= {hospital["code"]: hospital.get("his_url") for hospital in world["hospitals"]}
    urls |= {partner["code"]: partner.get("url") for partner in world["insurers"]}
    urls |= {world[kind]["code"]: world[kind].get("url") for kind in ("medical_insurance", "bank")}
    return {name: urlsplit(url).port or 0 for name, url in urls.items() if url}
