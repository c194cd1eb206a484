"""What is written down twice says the same twice."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

import app
from app.core.db import Checked
from app.core.machine import Machine
from app.tables import metadata
from demo.invariants.machines import MACHINES, may_move
from demo.invariants.sealing import CHECKED


def product_machines() -> dict[str, Machine[Any]]:
    names = [module.name for module in pkgutil.walk_packages(app.__path__, "app.")]
    modules = [importlib.import_module(name) for name in names if name.endswith(".states")]
    found = [value for module in modules for value in vars(module).values() if isinstance(value, Machine)]
    return {machine.model.__tablename__: machine for machine in found}


def test_every_machine_of_the_product_is_written_down() -> None:
    for table, machine in product_machines().items():
        moves = {(str(before), str(after)) for (before, _), after in machine.table.items()}
        ours = {(before, after) for before, ends in MACHINES[table].items() if before != "begin" for after in ends}
        assert ours == moves, table
    assert set(MACHINES) == set(product_machines())


def test_check_fields_cover_the_same_columns() -> None:
    ours = [model for model in Checked.__subclasses__() if model.__module__.startswith("app.")]
    models = {str(vars(model)["__tablename__"]): model.check_over for model in ours}
    assert models == CHECKED
    assert set(CHECKED) == {table.name for table in metadata.sorted_tables if "check_field" in table.columns}


def test_a_beginning_is_a_move_too() -> None:
    assert may_move("claim", None, "submitted")
    assert not may_move("claim", None, "paid")
    assert not may_move("claim", "withdrawn", "submitted")
