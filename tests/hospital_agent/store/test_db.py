"""The store's file: private, owned by one agent, and whole after an error."""

from __future__ import annotations

import sqlite3
import stat
from pathlib import Path

import pytest

from hospital_agent.errors import ConfigError
from hospital_agent.store.db import Store


def test_the_file_is_for_its_owner_only(store: Store) -> None:
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600


def test_two_agents_never_share_a_store(store: Store) -> None:
    with pytest.raises(ConfigError, match="another agent"):
        Store(store.path)


def test_a_reader_may_look_while_the_agent_runs(store: Store) -> None:
    looker = Store(store.path, exclusive=False)
    assert looker.all("SELECT * FROM batch") == []
    looker.close()


def test_the_store_is_free_again_after_closing(tmp_path: Path) -> None:
    Store(tmp_path / "a.sqlite").close()
    Store(tmp_path / "a.sqlite").close()


def test_a_failed_transaction_leaves_nothing(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), store.transaction() as db:
        db.execute("INSERT INTO mark VALUES ('a', 'b')")
        raise ZeroDivisionError
    assert store.all("SELECT * FROM mark") == []


def test_what_is_committed_is_on_the_disk(store: Store) -> None:
    assert store.all("PRAGMA journal_mode")[0][0] == "wal"
    assert store.all("PRAGMA synchronous")[0][0] == 2


def test_a_full_disk_is_named_and_the_store_goes_on_when_there_is_room(store: Store) -> None:
    store.all("PRAGMA max_page_count = 1")
    with pytest.raises(sqlite3.OperationalError, match="full"), store.transaction() as db:
        db.execute("INSERT INTO answer VALUES ('C1', ?)", ("x" * 100_000,))
    store.all("PRAGMA max_page_count = 1000000")
    with store.transaction() as db:
        db.execute("INSERT INTO answer VALUES ('C1', ?)", ("x" * 100_000,))
    assert len(store.all("SELECT 1 FROM answer")) == 1
