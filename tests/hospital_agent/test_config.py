"""The configuration is read whole or refused with what to mend."""

from __future__ import annotations

from datetime import date, time
from pathlib import Path

import pytest

from hospital_agent import config
from hospital_agent.__main__ import main
from hospital_agent.errors import ConfigError
from tests.hospital_agent.small_his import MAPPING

BASE = """
role = "hospital"
partner = "H1-agent"
secret = "whsec_c2VjcmV0"
exchange_url = "http://127.0.0.1:1"
store = "agent.sqlite"
[source]
database_url = "postgresql://his"
mapping = "his.mapping.toml"
"""


def read(tmp_path: Path, text: str) -> config.Config:
    path = tmp_path / "agent.toml"
    path.write_text(text, encoding="utf-8")
    return config.load(path)


def test_paths_start_at_the_file_and_the_rest_has_defaults(tmp_path: Path) -> None:
    read_config = read(tmp_path, BASE)
    assert read_config.store == tmp_path / "agent.sqlite"
    assert read_config.source is not None and read_config.source.mapping == tmp_path / "his.mapping.toml"
    assert read_config.commands.registration_concurrency == 8
    assert read_config.business_date is None


def test_every_section_is_read(tmp_path: Path) -> None:
    text = f'business_date = "2026-11-21"\n{BASE}parameters = {{ hospital = "H1" }}\n'
    text += '[bulk]\ninterval_s = 2.0\nhours = ["22:00-06:00"]\n[his]\nurl = "http://his"\n[pull]\nper_second = 5\n'
    got = read(tmp_path, text)
    assert got.business_date == date(2026, 11, 21)
    assert got.bulk.hours == ((time(22, 0), time(6, 0)),)
    assert got.source is not None and got.source.parameters == {"hospital": "H1"}
    assert (got.bulk.interval_s, got.his.url, got.pull.per_second) == (2.0, "http://his", 5)


def test_whole_tables_are_read_by_night_unless_told_otherwise(tmp_path: Path) -> None:
    assert read(tmp_path, BASE).bulk.night == ((time(22), time(6)),)
    assert read(tmp_path, f"{BASE}[bulk]\nnight = []").bulk.night == ()
    assert read(tmp_path, f'{BASE}[bulk]\nnight = ["23:00-05:30"]').bulk.night == ((time(23), time(5, 30)),)


def test_a_replica_has_its_own_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(tmp_path, BASE).pull.database_url == ""
    assert read(tmp_path, f'{BASE}[pull]\ndatabase_url = "mysql://r"\nmax_rows = 50').pull.database_url == "mysql://r"
    monkeypatch.setenv("REPLICA", "mysql://env")
    got = read(tmp_path, f'{BASE}[pull]\ndatabase_url_env = "REPLICA"')
    assert (got.pull.database_url, got.pull.max_rows) == ("mysql://env", 200)


def test_secrets_come_from_a_file_or_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "key").write_text("whsec_ZmlsZQ==\n")
    monkeypatch.setenv("HIS_DB", "postgresql://env")
    text = BASE.replace('secret = "whsec_c2VjcmV0"', 'secret_file = "key"')
    got = read(tmp_path, text.replace('database_url = "postgresql://his"', 'database_url_env = "HIS_DB"'))
    assert got.link.secret == "whsec_ZmlsZQ=="
    assert got.source is not None and got.source.database_url == "postgresql://env"


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("role = [", "agent.toml"),
        (BASE.replace("hospital", "doctor", 1), "role must be"),
        (BASE.replace('partner = "H1-agent"', ""), "partner is missing"),
        (BASE.replace('secret = "whsec_c2VjcmV0"', ""), "secret is missing"),
        (BASE.partition("[source]")[0], "[source] is missing"),
        (BASE + "[bulk]\nspeed = 3", "[bulk] does not know speed"),
        (BASE + '[bulk]\nhours = ["night"]', "hours are spans"),
        (BASE + "[bulk]\nnight = 3", "night are spans"),
        (BASE + '[pull]\ndatabase_url_env = "NONE_SUCH"', "database_url is missing"),
        (BASE + "[pull]\nrows = 3", "[pull] does not know rows"),
        (f'business_date = "today"\n{BASE}', "business_date must be"),
        (BASE.partition("[source]")[0].replace("hospital", "medical_insurance", 1), "[medical_insurance] url"),
    ],
)
def test_what_cannot_work_is_refused(tmp_path: Path, text: str, advice: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, text)
    assert advice in str(caught.value)


def test_a_database_that_nobody_can_ask_whether_it_is_busy_is_not_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "his.mapping.toml").write_text(MAPPING, encoding="utf-8")
    path = tmp_path / "agent.toml"
    path.write_text(BASE.replace("postgresql://his", "sqlite:///his.sqlite"), encoding="utf-8")
    for mode in ([], ["--once"], ["--dry-run"]):
        assert main(["--config", str(path), *mode]) == 2
        assert "busy_query is missing" in capsys.readouterr().err


def test_the_example_is_valid(tmp_path: Path) -> None:
    example = Path(config.__file__).parent / "agent.example.toml"
    assert config.load(example).role == "hospital"
