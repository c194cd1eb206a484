"""Reading a mapping file (TOML) and refusing, with entity and field named, what cannot work."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from hospital_agent.errors import MappingError
from hospital_agent.mapping.contract import LEDGER_FIELDS, ROW_FIELDS, Fields
from hospital_agent.mapping.model import Conventions, Entity, FieldRule, SourceMapping

KINDS = ("text", "time", "date", "fen", "decimal", "int", "bool")
MAX_PLACES, MAX_OVERLAP_S = 12, 400 * 86_400
RULE_KEYS = frozenset({"column", "columns", "as", "places", "codes", "default", "value", "null"})
ENTITY_KEYS = frozenset({"sql", "table", "key", "patient", "changed", "business_date", "overlap_s", "fields"})


def load(path: Path) -> SourceMapping:
    """Raises MappingError with what to mend."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise MappingError(f"mapping {path}: cannot be read") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MappingError(f"mapping {path.name}: {error}") from error
    source = _section(data.get("source", {}), "source")
    ledger = _entities(data.get("ledger", {}), LEDGER_FIELDS, "ledger")
    if "own" in ledger and ledger["own"].business_date is None:
        raise MappingError("[ledger.own] needs a business_date")
    return SourceMapping(
        name=_text(source.get("name", path.stem), "source.name"),
        conventions=_conventions(source),
        parameters=_names(source.get("parameters", []), "source.parameters"),
        entities=_entities(data.get("entities", {}), ROW_FIELDS, "entities"),
        ledger=ledger,
    )


def _conventions(source: dict[str, Any]) -> Conventions:
    unit = source.get("money_unit", "yuan")
    if unit not in ("yuan", "fen"):
        raise MappingError('[source] money_unit is "yuan" or "fen"')
    try:
        zone = ZoneInfo(_text(source.get("timezone", "Asia/Shanghai"), "source.timezone"))
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise MappingError("[source] timezone is not known on this machine") from error
    encoding = _text(source.get("encoding", "gb18030"), "source.encoding")
    try:
        "".encode(encoding)
    except (LookupError, ValueError) as error:
        raise MappingError("[source] encoding is not known") from error
    return Conventions(zone, unit, encoding)


def _entities(data: Any, contract: Mapping[str, Fields], section: str) -> dict[str, Entity]:
    data = _section(data, section)
    if unknown := set(data) - set(contract):
        raise MappingError(f"[{section}] does not know {', '.join(sorted(unknown))}")
    return {name: _entity(name, data[name], contract[name], f"{section}.{name}") for name in data}


def _entity(name: str, data: Any, contract: Fields, where: str) -> Entity:
    data = _section(data, where)
    if unknown := set(data) - ENTITY_KEYS:
        raise MappingError(f"[{where}] does not know {', '.join(sorted(unknown))}")
    if ("sql" in data) == ("table" in data):
        raise MappingError(f"[{where}] needs exactly one of sql and table")
    if not data.get("key"):
        raise MappingError(f"[{where}] needs a key")
    named = {key: _text(data[key], f"{where}.{key}") for key in ("patient", "changed", "business_date") if key in data}
    return Entity(
        name=name,
        sql=_text(data["sql"], f"{where}.sql") if "sql" in data else "",
        table=_text(data["table"], f"{where}.table") if "table" in data else "",
        key=_names(data["key"], f"{where}.key"),
        fields=_fields(data.get("fields", {}), contract, f"{where}.fields"),
        required=contract.required,
        overlap_s=_seconds(data.get("overlap_s", 60), f"{where}.overlap_s"),
        **named,
    )


def _fields(data: Any, contract: Fields, where: str) -> dict[str, FieldRule]:
    data = _section(data, where)
    if data.keys() != contract.names:
        missing, unknown = contract.names - data.keys(), data.keys() - contract.names
        raise MappingError(f"[{where}] missing: {sorted(missing)}, not known: {sorted(unknown)}")
    rules = {field: _rule(spec, f"{where}.{field}") for field, spec in data.items()}
    for field in sorted(contract.required):
        if not rules[field].columns and rules[field].constant is None:
            raise MappingError(f"[{where}.{field}] may not be null: the platform refuses rows without it")
    return rules


def _rule(spec: Any, where: str) -> FieldRule:
    if isinstance(spec, str):
        return FieldRule(columns=(_text(spec, where),))
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
    places = spec.get("places", 0)
    if not isinstance(places, int) or not 0 <= places <= MAX_PLACES:
        raise MappingError(f"[{where}] places are a number from 0 to {MAX_PLACES}")
    return FieldRule(
        columns=_names(spec["columns"] if "columns" in spec else [spec["column"]], where),
        kind=kind,
        places=places,
        codes=_section(spec["codes"], f"{where}.codes") if "codes" in spec else None,
        default=spec.get("default"),
    )


def _section(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise MappingError(f"[{where}] is not a section")
    return value


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str) or not value:
        raise MappingError(f"[{where}] is not a text")
    return value


def _names(value: Any, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(name, str) and name for name in value):
        raise MappingError(f"[{where}] is not a list of names")
    return tuple(value)


def _seconds(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MAX_OVERLAP_S:
        raise MappingError(f"[{where}] is not a number of seconds")
    return float(value)
