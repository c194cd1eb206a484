from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from app.core import places

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root is asked to change accounts")


def test_the_place_is_outside_for_root_and_the_directory_itself_for_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    monkeypatch.setattr(places, "_OUTSIDE", outside)
    place = places.private_place(tmp_path / "data")
    if os.geteuid() == 0:
        assert place.parent == outside
        assert place != places.private_place(tmp_path / "other")
    else:
        assert place == tmp_path / "data"
    assert place == places.private_place(tmp_path / "data")
    assert place.stat().st_mode & 0o077 in (0o000, 0o011)


def test_a_link_in_the_place_of_a_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(places.PlaceError):
        places._own_directory(tmp_path / "link", 0o711)


@as_root
def test_somebody_elses_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    places.give_to(tmp_path / "theirs", places.UNPRIVILEGED_USER)
    with pytest.raises(places.PlaceError):
        places._own_directory(tmp_path / "theirs", 0o711)


def test_a_directory_that_others_may_change_is_closed(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir(mode=0o777)
    (tmp_path / "open").chmod(0o777)
    places._own_directory(tmp_path / "open", 0o711)
    assert (tmp_path / "open").stat().st_mode & 0o777 == 0o711


def test_programs_that_the_account_cannot_reach_are_copied_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "_OUTSIDE", tmp_path)
    monkeypatch.setattr(places, "server_account", lambda: places.UNPRIVILEGED_USER)
    monkeypatch.setattr(places, "_can_run", lambda program, user: False)
    programs = places.postgres_programs()
    assert programs.is_relative_to(tmp_path)
    assert (
        "18" in subprocess.run([programs / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    )
    for name in ("postgres", "initdb"):
        done = subprocess.run([programs / name, "--version"], capture_output=True, text=True, check=True)
        assert "PostgreSQL) 18" in done.stdout
    made_at = programs.stat().st_mtime_ns
    assert places.postgres_programs().stat().st_mtime_ns == made_at
    assert [path.name for path in tmp_path.iterdir()] == [programs.relative_to(tmp_path).parts[0]]


def test_no_directory_above_the_checkout_changes(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    place = places.private_place(closed / "data")
    assert closed.stat().st_mode & 0o777 == 0o700
    place.rmdir()


def test_a_missing_package_names_the_set_up() -> None:
    with pytest.raises(places.PlaceError, match="script/setup"):
        places._package_path("no_such_package_anywhere")
