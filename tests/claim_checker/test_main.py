"""The command: its exit status, what it says, and that it needs nothing of the platform."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from claim_checker.__main__ import ALTERED, CANNOT, OK, main
from tests.claim_checker.sample import INSURER, SIGNS, other_key, plain, sent, wire
from tests.servers import ROOT


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "package.json"
    path.write_bytes(wire(sent()))
    return path


def test_a_sound_package_is_told_with_what_was_not_looked_into(
    file: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main([str(file), "--key", SIGNS.public_key]) == OK
    said = capsys.readouterr().out
    assert said.startswith("ok: claim CL1 version 1, 8 parts\n") and "bills, documents, insured, supplements" in said
    private, announced = tmp_path / "own.pem", tmp_path / "keys.json"
    private.write_bytes(INSURER.as_pem(private=True))
    announced.write_text(json.dumps({"keys": [{"public_key": other_key()}, {"public_key": SIGNS.public_key}]}))
    assert main([str(file), "--key", str(announced), "--decrypt", str(private)]) == OK
    assert "encrypted" not in capsys.readouterr().out


def test_an_altered_part_is_named_on_a_line_of_its_own(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_bytes(file.read_bytes().replace("市第一人民医院".encode(), "市第二人民医院".encode()))
    assert main([str(file), "--key", SIGNS.public_key]) == ALTERED
    assert capsys.readouterr().out == "altered: hospital: is not what the manifest lists\n"


@pytest.mark.parametrize("name", ["x\nok: claim CL1 version 1", "\ud800", "\x1b[2J"])
def test_a_name_that_is_no_line_of_text_is_shown_escaped(
    file: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    package = json.loads(file.read_bytes())
    package["parts"][name] = 1
    file.write_text(json.dumps(package))
    assert main([str(file), "--key", SIGNS.public_key]) == ALTERED
    assert capsys.readouterr().out == f"altered: {name!a}: is not in the manifest\n"


def test_the_version_before_is_compared(file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = tmp_path / "before.json"
    before.write_bytes(wire(plain()))
    assert main([str(file), "--key", SIGNS.public_key, "--previous", str(before)]) == ALTERED
    assert capsys.readouterr().out == "altered: manifest: is not the next version of the package before\n"


@pytest.mark.parametrize(
    "options",
    [["--key", "nonsense"], ["--key", SIGNS.public_key, "--decrypt", "/nowhere"]],
)
def test_what_cannot_be_looked_at_is_no_verdict(
    file: Path, options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(file), *options]) == CANNOT
    assert "nonsense" not in capsys.readouterr().err
    assert main(["/nowhere", "--key", SIGNS.public_key]) == CANNOT


@pytest.mark.parametrize(
    "content", [b"\xff", b'{"keys":' + b"[" * 100_000, b"{}", b'{"keys":[{"public_key":1}]}', b"[" * 100_000]
)
def test_a_file_that_holds_no_key_is_said_to_hold_none(
    file: Path, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    key = file.with_name("key")
    key.write_bytes(content)
    assert main([str(file), "--key", str(key)]) == CANNOT
    assert capsys.readouterr().err == "cannot check: --key is no Ed25519 public key\n"
    assert main([str(file), "--key", SIGNS.public_key, "--decrypt", str(key)]) == CANNOT
    assert capsys.readouterr().err == "cannot check: --decrypt is no file with an EC private key\n"


def test_it_runs_alone(file: Path, tmp_path: Path) -> None:
    """Copied away from the platform, as an insurer has it."""
    (tmp_path / "claim_checker").symlink_to(ROOT / "claim_checker")
    command = [sys.executable, "-m", "claim_checker", str(file), "--key", SIGNS.public_key]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (OK, "")
