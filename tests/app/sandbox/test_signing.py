"""Why a signature does not hold is said in words, and neither key nor body is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.sandbox.cli import sandbox
from tests.app.partner import World

BODY = '{"batch_no": 1}'


def said(client: FlaskClient, folder: Path, headers: dict[str, str], body: str = BODY) -> str:
    (folder / "headers").write_text("".join(f"> {name}: {value}\r\n" for name, value in headers.items()), newline="")
    (folder / "body").write_text(body)
    arguments = ["signature", str(folder / "headers"), str(folder / "body")]
    answer: Any = client.application.test_cli_runner().invoke(sandbox, arguments)
    assert answer.exit_code == (0 if answer.output == "ok signature\n" else 1), answer.output
    assert "whsec_" not in answer.output.replace("whsec_ 之后", "") and "batch_no" not in answer.output
    return str(answer.output)


def test_what_is_right_is_believed(client: FlaskClient, world: World, tmp_path: Path) -> None:
    assert said(client, tmp_path, world.partner["H1"].headers(BODY)) == "ok signature\n"


def test_headers_that_are_no_text_are_named(client: FlaskClient, tmp_path: Path) -> None:
    (tmp_path / "headers").write_bytes(b"> zhipei-partner: H1-\xff\n")
    (tmp_path / "body").write_text(BODY)
    arguments = ["signature", str(tmp_path / "headers"), str(tmp_path / "body")]
    answer: Any = client.application.test_cli_runner().invoke(sandbox, arguments)
    assert answer.exit_code == 1 and "not UTF-8" in answer.output


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"age_s": 4000}, "webhook-timestamp: 比平台慢 400"),
        ({"age_s": -4000}, "webhook-timestamp: 比平台快"),
        ({"secret": "whsec_" + "b3Ro" * 8}, "webhook-signature: 与任何一把有效密钥都不符"),
        ({"Zhipei_Partner": "H9-agent"}, "zhipei-partner: 没有这个程序"),
        ({"webhook_id": ""}, "webhook-id: 缺少这个请求头"),
        ({"webhook_id": "a.b"}, "webhook-id: 只能用字母"),
        ({"webhook_timestamp": "1700000000000"}, "webhook-timestamp: 应为 Unix 秒"),
        ({"webhook_signature": "c2ln"}, "webhook-signature: 应为 v1,"),
        ({"webhook_signature": "v1a,c2ln"}, "有效密钥要的是 v1 签名"),
    ],
)
def test_what_is_wrong_is_named(
    client: FlaskClient, world: World, tmp_path: Path, wrong: dict[str, Any], expected: str
) -> None:
    assert expected in said(client, tmp_path, world.partner["H1"].headers(BODY, **wrong))


def test_a_line_feed_too_many_is_found(client: FlaskClient, world: World, tmp_path: Path) -> None:
    assert "签的是没有末尾的换行" in said(client, tmp_path, world.partner["H1"].headers(BODY), BODY + "\n")
    assert "签的是空正文" in said(client, tmp_path, world.partner["H1"].headers(""))
