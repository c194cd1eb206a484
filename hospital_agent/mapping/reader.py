"""Reading a mapping file (TOML) and refusing, with entity and field named, what cannot work."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from hospital_agent.errors import MappingError
from hospital_agent.mapping.contract import LEDGER_FIELDS, ROW_FIELDS
from hospital_agent.mapping.model import Conventions, Entity, FieldRule, SourceMapping

KINDS = ("text", "time", "date", "fen", "decimal", "int", "bool")
RULE_KEYS = frozenset({"column", "columns", "as", "places", "codes", "default", "value", "null"})
ENTITY_KEYS = frozenset({"sql", "table", "key", "patient", "changed", "business_date", "overlap_s", "fields"})


def load(path: Path) -> SourceMapping:
    """Raises MappingError with what to mend."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise MappingError(f"mapping {path}: cannot be read") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise MappingError(f"mapping {path.name}: {error}") from error
    source = data.get("source", {})
    return SourceMapping(
        name=source.get("name", path.stem),
        conventions=_conventions(source),
        parameters=tuple(source.get("parameters", [])),
        entities=_entities(data.get("entities", {}), ROW_FIELDS, "entities"),
        ledger=_entities(data.get("ledger", {}), LEDGER_FIELDS, "ledger"),
    )


def _conventions(source: dict[str, Any]) -> Conventions:
    unit = source.get("money_unit", "yuan")
    if unit not in ("yuan", "fen"):
        raise MappingError('[source] money_unit is "yuan" or "fen"')
    try:
        zone = ZoneInfo(source.get("timezone", "Asia/Shanghai"))
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise MappingError("[source] timezone is not known on this machine") from error
    encoding = source.get("encoding", "gb18030")
    try:
        "".encode(encoding)
    except LookupError as error:
        raise MappingError("[source] encoding is not known") from error
    return Conventions(zone, unit, encoding)


def _entities(data: dict[str, Any], contract: dict[str, frozenset[str]], section: str) -> dict[str, Entity]:
    if unknown := set(data) - set(contract):
        raise MappingError(f"[{section}] does not know {', '.join(sorted(unknown))}")
    return {name: _entity(name, data[name], contract[name], f"{section}.{name}") for name in data}


def _entity(name: str, data: dict[str, Any], contract: frozenset[str], where: str) -> Entity:
    if unknown := set(data) - ENTITY_KEYS:
        raise MappingError(f"[{where}] does not know {', '.join(sorted(unknown))}")
    if ("sql" in data) == ("table" in data):
        raise MappingError(f"[{where}] needs exactly one of sql and table")
    if not data.get("key"):
        raise MappingError(f"[{where}] needs a key")
    fields = data.get("fields", {})
    if fields.keys() != contract:
        missing, unknown = contract - fields.keys(), fields.keys() - contract
        raise MappingError(f"[{where}.fields] missing: {sorted(missing)}, not known: {sorted(unknown)}")
    return Entity(
        name=name,
        sql=data.get("sql", ""),
        table=data.get("table", ""),
        key=tuple(data["key"]),
        fields={field: _rule(spec, f"{where}.fields.{field}") for field, spec in fields.items()},
        patient=data.get("patient"),
        changed=data.get("changed"),
        business_date=data.get("business_date"),
        overlap_s=float(data.get("overlap_s", 60)),
    )


def _rule(spec: Any, where: str) -> FieldRule:
    if isinstance(spec, str):
        return FieldRule(columns=(spec,))
    if not isinstance(spec, dict) or set(spec) - RULE_KEYS:
        raise MappingError(f"[{where}] is not a column or a rule")
    if len({"column", "columns", "value", "null"} & set(spec)) != 1:
        raise MappingError(f"[{where}] needs exactly one of column, columns, value and null")
    if "value" in spec or "null" in spec:
        return FieldRule(constant=spec.get("value"))
    kind = spec.get("as", "text")
    if kind not in KINDS:
        raise MappingError(f"[{where}] as is one of {', '.join(KINDS)}")
    if "codes" in spec and kind != "text":
        raise MappingError(f"[{where}] codes go with text only")
    return FieldRule(
        columns=tuple(spec["columns"]) if "columns" in spec else (spec["column"],),
        kind=kind,
        places=int(spec.get("places", 0)),
        codes=spec.get("codes"),
        default=spec.get("default"),
    )
