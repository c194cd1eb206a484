from __future__ import annotations

from typing import Any

import pytest

from mock_wechat.account.fields import check_fields
from mock_wechat.errors import AccountError


def cell(value: Any) -> dict[str, Any]:
    return {"value": value}


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("thing1", "理" * 20, "理" * 21),
        ("character_string2", "CL20261121", "单号"),
        ("amount3", "¥1234.50", "12.345元"),
        ("amount3", "1234.5元", "一百"),
        ("phrase4", "已通过", "approved"),
        ("phrase4", "审核中", "正在审核中呢"),
        ("date5", "2026年11月21日", "yesterday"),
        ("time6", "2026-11-21 10:30", "soon"),
        ("time6", "10:30", "1030"),
        ("number7", "12", "12a"),
        ("name8", "张三", "张三四五六七八九十一二"),
        ("phone_number9", "13800000001", "x"),
        ("const10", "待确认", "长" * 21),
    ],
)
def test_each_type_has_its_limits(name: str, good: str, bad: str) -> None:
    assert check_fields({name: cell(good)}, []) == {name: good}
    with pytest.raises(AccountError) as refused:
        check_fields({name: cell(bad)}, [])
    assert refused.value.body["errcode"] == 47003
    assert f"data.{name}.value" in str(refused.value.body["errmsg"])


@pytest.mark.parametrize("data", [None, {}, {"first": cell("x")}, {"thing1": "x"}, {"thing1": cell("")}])
def test_what_is_no_data(data: Any) -> None:
    with pytest.raises(AccountError):
        check_fields(data, [])


def test_a_template_may_demand_its_fields_and_drops_others() -> None:
    assert check_fields({"thing1": cell("a"), "amount2": cell("1.00元"), "x": cell("")}, ["thing1", "amount2"]) == {
        "thing1": "a",
        "amount2": "1.00元",
    }
    with pytest.raises(AccountError):
        check_fields({"thing1": cell("a")}, ["thing1", "amount2"])
