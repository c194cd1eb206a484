"""PDF in Chinese: the font is one that readers bring along, the same content gives the same bytes, nothing is lost."""

from __future__ import annotations

import subprocess
from pathlib import Path

from app.core.paper import Block, Fields, Grid, Heading, Words, pdf
from tests import needs

BLOCKS: list[Block] = [
    Heading("一、被保险人"),
    Fields([("姓名", "欧阳·娜𠮷"), ("备注", "<b>&"), ("证件号码", "11010519491231002X")]),
    Words("本人确认以上内容属实。" * 20),
    Grid(("结算单号", "金额（元）"), [(f"B{number}", "1234.50") for number in range(80)], (3, 1), amounts=(1,)),
]


def test_the_same_content_gives_the_same_bytes() -> None:
    made = pdf("理赔申请书", "CL1", BLOCKS)
    assert made.startswith(b"%PDF-") and made == pdf("理赔申请书", "CL1", BLOCKS)
    assert made != pdf("理赔申请书", "CL2", BLOCKS)
    assert b"STSong-Light" in made and b"UniGB-UCS2-H" in made


def test_it_reads_as_it_was_written(tmp_path: Path) -> None:
    """As poppler reads it: also the dot, markup, and a character beyond the font, by its code."""
    program = needs.pdftotext()
    file = tmp_path / "form.pdf"
    file.write_bytes(pdf("理赔申请书", "CL1", BLOCKS))
    text = subprocess.run([program, "-layout", file, "-"], capture_output=True, text=True, check=True).stdout
    wanted = "理赔申请书 欧阳·娜〓(U+20BB7) <b>& 11010519491231002X B79 1234.50 CL1 第3页"
    assert [word for word in wanted.split() if word not in text.replace("第 ", "第").replace(" 页", "页")] == []
    assert text.count("结算单号") == text.count("页") == 3, "the heads stand on every page"
