"""The configurations of the agents on the hospitals' front-end machines and on the medical-insurance network."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.core.local_server import write_private
from demo.place import ROOT

MAPPINGS = {dialect: ROOT / "mock_partners" / "his" / f"{dialect}.mapping.toml" for dialect in ("builtin", "synthea")}
Section = Mapping[str, Any]
# One server holds both HIS and the product here, so its sessions say little about how busy a HIS is.
# A day of the demonstration lasts minutes and has no night.
BULK = {"interval_s": 2.0, "max_active": 1_000, "statement_timeout_ms": 20_000, "night": []}
PULL = {"per_second": 100.0, "statement_timeout_ms": 5_000}


def write_configs(world: Mapping[str, Any], directory: Path) -> dict[str, Path]:
    """Write one file for each agent into `directory`; agent's name -> its file."""
    directory.mkdir(parents=True, exist_ok=True)
    network = world["medical_insurance"]
    found = {entry["agent"]["partner"]: _hospital(world, entry, directory) for entry in world["hospitals"]}
    found[network["agent"]["partner"]] = _network(world, directory)
    return found


def _hospital(world: Mapping[str, Any], hospital: Mapping[str, Any], directory: Path) -> Path:
    mapping = directory / "his.mapping.toml"
    shutil.copyfile(MAPPINGS[hospital["his_dialect"]], mapping)
    sections = {
        "source": {"database_url": hospital["his_database_url"], "mapping": mapping.name},
        "his": {"url": hospital["his_url"]},
        "bulk": BULK,
        "pull": PULL,
    }
    return _write(world, hospital["agent"], {"role": "hospital"}, sections, directory)


def _network(world: Mapping[str, Any], directory: Path) -> Path:
    url = world["medical_insurance"]["url"]
    sections: dict[str, Section] = {
        "medical_insurance": {"url": url},
        "commands": {"trial_concurrency": world["medical_insurance"]["n"]},
    }
    agent = world["medical_insurance"]["agent"]
    return _write(world, agent, {"role": "medical_insurance"}, sections, directory)


def _write(
    world: Mapping[str, Any], agent: Mapping[str, str], head: Section, sections: Mapping[str, Section], directory: Path
) -> Path:
    name = agent["partner"]
    top = {
        **head,
        "partner": name,
        "secret": agent["secret"],
        "exchange_url": world["platform"]["exchange_url"],
        "store": f"{name}.sqlite",
        "business_date": world["business_date"],
    }
    blocks = [_lines(top)] + [f"[{section}]\n{_lines(values)}" for section, values in sections.items()]
    path = directory / f"{name}.toml"
    write_private(path, "\n".join(blocks))
    return path


def _lines(values: Section) -> str:
    """TOML's plain strings, numbers and booleans are written as JSON's are."""
    return "".join(f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in values.items())
