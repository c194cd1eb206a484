from __future__ import annotations

import json
import subprocess
import sys
import textwrap

import pytest

from app.core.log import mask_secrets
from tests.servers import ROOT


@pytest.mark.parametrize(
    "secret",
    [
        "11010519491231002X",
        "110105194912310021",
        "13800138000",
        "6222020200112233445",
        "access_token=ABC-def_123",
        "secret=hush",
        "session_key=abc==",
        "whsec_c2VjcmV0c2VjcmV0",
        "eyJhbGciOi.eyJzdWIiOi.c2lnbmF0dXJl",
    ],
)
def test_secrets_are_masked_wherever_they_stand(secret: str) -> None:
    masked = mask_secrets(f"before {secret} after")
    assert secret not in masked
    assert masked.startswith("before ") and masked.endswith(" after")


@pytest.mark.parametrize("row", ["DETAIL:  Key (login)=(zhang) exists.", "CONTEXT:  COPY patients, line 3: zhang"])
def test_what_postgresql_quotes_of_rows_is_masked(row: str) -> None:
    assert mask_secrets(f"before\n{row}\nafter") == "before\n***\nafter"


@pytest.mark.parametrize(
    "harmless", ["20261121", "CL2026112100000000017", "01a2003f-a25c-7182-9273-186238775df4", "张三"]
)
def test_other_numbers_are_left(harmless: str) -> None:
    assert mask_secrets(harmless) == harmless


PROGRAM = """
    import logging
    from app.core.log import configure_log, get_log
    configure_log("INFO")
    get_log("ours").info("told", phone="13800138000", count=3)
    logging.getLogger("theirs").warning("card %s", "6222020200112233445")
    logging.getLogger("httpx").info("GET https://x/?access_token=abc")
    try:
        raise ValueError("13800138000")
    except ValueError as error:
        get_log("ours").error("bug", exc_info=error)
"""


def test_every_line_is_json_and_holds_no_secret() -> None:
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(PROGRAM)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    lines = [json.loads(line) for line in run.stderr.splitlines()]
    assert [line["event"] for line in lines] == ["told", "card ***", "bug"]
    assert lines[0]["phone"] == "***" and lines[0]["count"] == 3
    assert "13800138000" not in run.stderr and "6222" not in run.stderr and "access_token" not in run.stderr
