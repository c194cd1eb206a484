from __future__ import annotations

from datetime import date
from pathlib import Path

from demo.place import Options, Place

DAY = date(2026, 3, 5)


def test_two_demonstrations_never_share_a_directory(tmp_path: Path) -> None:
    options = Options(DAY, data=tmp_path)
    first, second = Place(options), Place(options)
    assert first.path != second.path
    first.release()
    third = Place(options)
    assert third.path == first.path
    second.release()
    third.release()


def test_days_that_differ_have_directories_of_their_own(tmp_path: Path) -> None:
    names = {
        Options(DAY).name,
        Options(DAY, 8).name,
        Options(date(2026, 3, 6)).name,
        Options(DAY, his_data=tmp_path).name,
        Options(DAY, database_url="postgresql://elsewhere/zhipei").name,
    }
    assert len(names) == 5
    assert "elsewhere" not in "".join(names)


def test_a_day_without_a_result_was_interrupted(tmp_path: Path) -> None:
    place = Place(Options(DAY, data=tmp_path))
    assert not place.was_interrupted
    place.write(place.begun_file, {})
    assert place.was_interrupted
    place.write(place.result_file, {})
    assert not place.was_interrupted
    place.clear()
    assert place.read(place.begun_file) is None
    place.release()


def test_what_may_hold_secrets_is_for_us_only(tmp_path: Path) -> None:
    place = Place(Options(DAY, data=tmp_path))
    place.write(place.world_file, {"secret": "s"})
    assert place.world_file.stat().st_mode & 0o077 == 0
    place.release()
