"""The application form: what it shows is what is claimed, its digest is printed on it, its hash is what we sign."""

from __future__ import annotations

import subprocess
from base64 import b64decode
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from app.claim import versions
from app.claim.form import application_form
from app.claim.package import canonical
from app.claim.queries import lookup
from tests import needs
from tests.app.claim.kit import at_the_insurer
from tests.app.town import GOOD_CARD, Insured, Town


@pytest.fixture
def who(town: Town) -> Insured:
    return town.insured("欧阳·娜")


@pytest.fixture
def parts(town: Town, who: Insured) -> dict[str, Any]:
    claim_id: Any = at_the_insurer(town, who)
    with town.runtime.work() as work:
        sealed = lookup.latest_package(work.session, claim_id)
        assert sealed is not None
        found: dict[str, Any] = versions.read(work, sealed, "a test")["parts"]
    return found


def test_the_form_is_part_of_the_package_with_its_hash(parts: dict[str, Any]) -> None:
    part = parts["application_form"]
    content = b64decode(part["content_base64"])
    assert content.startswith(b"%PDF-") and sha256(content).hexdigest() == part["sha256"]
    assert part["digest"] == sha256(canonical(part["form"])).hexdigest()
    assert application_form(part["form"]) == part, "made again it is the same, byte for byte"


def test_it_shows_what_is_claimed(parts: dict[str, Any], who: Insured, tmp_path: Path) -> None:
    part, program = parts["application_form"], needs.pdftotext()
    file = tmp_path / "form.pdf"
    file.write_bytes(b64decode(part["content_base64"]))
    text = subprocess.run([program, "-layout", file, "-"], capture_output=True, text=True, check=True).stdout
    joined = "".join(text.split())
    shown = [parts["claim"]["claim_no"], who.name, who.document_no, "居民身份证", "内科", "申请金额：100.00元",
             parts["policy"]["policy_no"], parts["hospital"]["name"], "银行卡", part["digest"]]  # fmt: skip
    assert [one for one in shown if one not in joined] == []
    assert GOOD_CARD not in joined and GOOD_CARD[-4:] in joined


def test_another_amount_is_another_form(parts: dict[str, Any]) -> None:
    form = parts["application_form"]["form"]
    other = application_form(form | {"asked_fen": form["asked_fen"] + 1})
    assert other["digest"] != parts["application_form"]["digest"]
    assert other["sha256"] != parts["application_form"]["sha256"]
