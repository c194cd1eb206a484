"""The agent's configuration: one TOML file. Secrets may stand in it, in another file, or in the environment."""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass, field, fields
from datetime import date, time
from pathlib import Path
from typing import Any

from hospital_agent.errors import ConfigError
from hospital_agent.exchange import Link
from hospital_agent.sections import (
    BulkConfig,
    CommandConfig,
    InterfaceConfig,
    NetworkConfig,
    PullConfig,
    SourceConfig,
    Spans,
)

ROLES = ("hospital", "medical_insurance", "insurer")


@dataclass(frozen=True)
class Config:
    """Everything one agent needs to run."""

    role: str
    link: Link
    store: Path
    source: SourceConfig | None = None
    his: InterfaceConfig = field(default_factory=InterfaceConfig)
    medical_insurance: NetworkConfig = field(default_factory=NetworkConfig)
    bulk: BulkConfig = field(default_factory=BulkConfig)
    pull: PullConfig = field(default_factory=PullConfig)
    commands: CommandConfig = field(default_factory=CommandConfig)
    business_date: date | None = None
    log_level: str = "INFO"


def load(path: Path) -> Config:
    """Read and check agent.toml. Raises ConfigError with what to mend."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: {error}") from error
    return _config(data, path.parent)


def _config(data: dict[str, Any], base: Path) -> Config:
    role = data.get("role")
    if role not in ROLES:
        raise ConfigError(f"role must be one of {', '.join(ROLES)}")
    config = Config(
        role=role,
        link=_link(data, base),
        store=base / _need(data, "store"),
        source=_source(data["source"], base) if "source" in data else None,
        his=_section(data, "his", InterfaceConfig),
        medical_insurance=_section(data, "medical_insurance", NetworkConfig),
        bulk=_bulk(data),
        pull=_pull(data, base),
        commands=_section(data, "commands", CommandConfig),
        business_date=_date(data.get("business_date")),
        log_level=data.get("log_level", "INFO"),
    )
    if config.source is None and role != "medical_insurance":
        raise ConfigError(f"[source] is missing; role {role} reads a database")
    if role == "medical_insurance" and not config.medical_insurance.url:
        raise ConfigError("[medical_insurance] url is missing")
    return config


def _link(data: dict[str, Any], base: Path) -> Link:
    ca_file = data.get("ca_file")
    return Link(
        url=_need(data, "exchange_url"),
        partner=_need(data, "partner"),
        secret=_secret(data, "secret", base),
        ca_file=str(base / ca_file) if ca_file else None,
    )


def _source(data: dict[str, Any], base: Path) -> SourceConfig:
    return SourceConfig(
        database_url=_secret(data, "database_url", base),
        mapping=base / _need(data, "mapping"),
        parameters=data.get("parameters", {}),
    )


def _secret(data: dict[str, Any], name: str, base: Path) -> str:
    """`name` itself, or the first line of the file `name_file`, or the environment variable `name_env`."""
    if f"{name}_env" in data:
        value = os.environ.get(data[f"{name}_env"], "")
    elif f"{name}_file" in data:
        value = (base / data[f"{name}_file"]).read_text(encoding="utf-8").strip()
    else:
        value = data.get(name, "")
    if not value:
        raise ConfigError(f"{name} is missing (or {name}_file, {name}_env)")
    return str(value)


def _need(data: dict[str, Any], name: str) -> str:
    if not isinstance(data.get(name), str) or not data[name]:
        raise ConfigError(f"{name} is missing")
    return str(data[name])


def _date(value: Any) -> date | None:
    if value is None or isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise ConfigError("business_date must be a date, YYYY-MM-DD") from error


def _section(data: dict[str, Any], name: str, kind: type[Any]) -> Any:
    known = {f.name for f in fields(kind)}
    section = data.get(name, {})
    if unknown := set(section) - known:
        raise ConfigError(f"[{name}] does not know {', '.join(sorted(unknown))}")
    return kind(**section)


def _pull(data: dict[str, Any], base: Path) -> PullConfig:
    section = dict(data.get("pull", {}))
    names = [f"database_url{kind}" for kind in ("", "_file", "_env")]
    given = {name: section.pop(name) for name in names if name in section}
    url = _secret(given, "database_url", base) if given else ""
    config: PullConfig = _section({"pull": {**section, "database_url": url}}, "pull", PullConfig)
    return config


def _bulk(data: dict[str, Any]) -> BulkConfig:
    section = dict(data.get("bulk", {}))
    for name in ("hours", "night"):
        if name in section:
            section[name] = _spans(name, section[name])
    config: BulkConfig = _section({"bulk": section}, "bulk", BulkConfig)
    return config


def _spans(name: str, texts: Any) -> Spans:
    try:
        spans = [span.split("-") for span in texts]
        return tuple((time.fromisoformat(start), time.fromisoformat(end)) for start, end in spans)
    except (ValueError, TypeError, AttributeError) as error:
        raise ConfigError(f'[bulk] {name} are spans such as "00:00-06:00"') from error
