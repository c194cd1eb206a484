"""A wrong argument is told with an example, with exit status 2, before anything starts."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from demo import __main__ as demo
from demo.arguments import parser
from mock_partners.his.synthea import TABLES

WRONG = {
    "no date": (["--date", "nonsense"], "2026-11-21"),
    "a day that is not": (["--date", "2026-02-30"], "2026-11-21"),
    "the first of all days": (["--date", "0001-01-01"], "2026-11-21"),
    "the last of all days": (["--date", "9999-12-31"], "2026-11-21"),
    "no number": (["--patients", "many"], "for example 60"),
    "too few": (["--patients", "7"], "for example 60"),
    "too many": (["--patients", "9" * 5000], "for example 60"),
    "digits of elsewhere": (["--patients", "٦٠"], "for example 60"),
    "no folder": (["--his-data", "nowhere"], "patients.csv"),
    "a folder as a file": (["--json", "/"], "for example day.json"),
    "a file under a file": (["--json", "/dev/null/day.json"], "for example day.json"),
    "a file as a folder": (["--data", "/dev/null"], "for example .data/demo"),
    "an option that is not": (["--dates", "2026-11-21", "--nothing"], "--help"),
}


@pytest.mark.parametrize(("given", "told"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_told_with_an_example(
    given: list[str], told: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "Place", lambda options: pytest.fail("something was started"))
    with pytest.raises(SystemExit) as ended:
        demo.main(given)
    shown = capsys.readouterr().err
    assert ended.value.code == 2
    assert told in shown and "Traceback" not in shown


def test_a_place_that_cannot_be_written_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        demo.main(["--data", "/proc/zhipei"])
    assert ended.value.code == 2 and "name another folder" in capsys.readouterr().err


def test_what_is_right_is_taken(tmp_path: Path) -> None:
    for table in TABLES:
        (tmp_path / f"{table}.csv").touch()
    given = ["--date", "2026-11-21", "--patients", "8", "--his-data", str(tmp_path), "--json", str(tmp_path / "a.json")]
    chosen = parser().parse_args(given)
    assert (chosen.date, chosen.patients, chosen.his_data) == (date(2026, 11, 21), 8, tmp_path)
    assert chosen.json == tmp_path / "a.json"
