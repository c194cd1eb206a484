"""What is refused before a claim exists, and what two submissions at once come to."""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import Any

import pytest

from tests.app.claim.kit import clearing_rows
from tests.app.kit import Thread
from tests.app.town import GOOD_CARD, Insured, Town

WECHAT = {"kind": "wechat"}
IMAGE = {
    "kind": "identity_image",
    "title": "身份证",
    "media_type": "image/png",
    "content_base64": "iVBORw0KGgo=",
}


@pytest.mark.parametrize("way", ["partly_direct", "fully_direct"])
def test_what_is_not_built_is_refused_clearly(town: Town, way: str) -> None:
    who = town.insured()
    refused = town.apply_for(who, [town.bill(who)], way=way)
    assert (refused.status_code, refused.get_json()["code"]) == (422, "not_offered")


def test_consent_and_distinct_bills_are_needed(town: Town) -> None:
    who = town.insured()
    bill_id = town.bill(who)
    for name in ("consent", "health_consent"):
        wanted: dict[str, Any] = {name: False}
        refused = town.apply_for(who, [bill_id], **wanted).get_json()
        assert (refused["code"], set(refused["fields"])) == ("consent_needed", {name})
    assert town.apply_for(who, [bill_id], consent_wording="2020-01").get_json()["code"] == "wording_outdated"
    assert town.apply_for(who, [bill_id, bill_id]).status_code == 422
    assert town.apply_for(who, [bill_id], "H1").status_code == 404, "a hospital is no insurer"
    assert town.apply_for(who, [bill_id], payee={"kind": "bank"}).status_code == 422
    assert town.apply_for(who, [bill_id], surprise=1).status_code == 422


def test_an_insurer_that_cannot_be_called_is_not_offered(town: Town) -> None:
    """Who is insured there nobody could say: the claim would wait for ever."""
    who = town.insured()
    bill_id = town.bill(who)
    [url] = town.rows("SELECT config ->> 'url' FROM party WHERE code = 'I1'")[0]
    town.rows("UPDATE party SET config = config - 'url' WHERE code = 'I1'")
    refused = town.apply_for(who, [bill_id])
    asked = who.post("/policies", {"person_id": str(who.person_id), "insurer": "I1", "consent": True})
    offered = [one["code"] for one in who.get("/insurers")["items"]]
    town.rows(
        "UPDATE party SET config = config || jsonb_build_object('url', CAST(:url AS text)) WHERE code = 'I1'", url=url
    )
    for answer in (refused, asked):
        assert (answer.status_code, answer.get_json()["code"]) == (409, "insurer_not_connected")
    assert "I1" not in offered and "I2" in offered
    assert town.apply_for(who, [bill_id]).status_code == 201


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ({"settled": False}, "bill_unsettled"),
        ({"status": "refunded"}, "bill_refunded"),
        ({"fund_fen": 10_000}, "bill_zero"),
        ({"e_bill": "reversed"}, "e_bill_reversed"),
    ],
)
def test_a_bill_that_cannot_be_claimed_says_why(town: Town, how: dict[str, Any], code: str) -> None:
    who = town.insured()
    bill_id = town.bill(who, **how)
    refused = town.apply_for(who, [bill_id])
    assert (refused.status_code, refused.get_json()["code"]) == (409, code)
    [listed] = who.get(f"/claimable-bills?person_id={who.person_id}")["items"]
    assert listed["why_not"] == refused.get_json()["message"]


def test_nobody_claims_anothers_bill(town: Town) -> None:
    who, other = town.insured(), town.insured("李四")
    bill_id = town.bill(who)
    assert town.apply_for(other, [bill_id]).status_code == 404
    assert town.apply_for(other, [bill_id], person_id=str(who.person_id)).status_code == 404


def test_two_submissions_at_once_are_one_claim(town: Town) -> None:
    who = town.insured()
    bill_id = town.bill(who)
    threads = [Thread(lambda: town.apply_for(who, [bill_id])) for _ in range(4)]
    answers = sorted((one.status_code, one.get_json().get("code", "")) for one in (t.result() for t in threads))
    assert answers == [(201, ""), *[(409, "bill_claimed")] * 3]


def test_the_same_key_is_the_same_claim(town: Town) -> None:
    who = town.insured()
    body = {"person_id": str(who.person_id), "insurer": "I1", "bill_ids": [str(town.bill(who))], "consent": True,
            "health_consent": True, "payee": {"kind": "bank", "bank_account": GOOD_CARD}}  # fmt: skip
    first, again = (who.post("/claims", body, key="the-same-key") for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.get_json()["id"] == again.get_json()["id"]


def test_clearing_numbers_are_dense_and_claims_have_numbers_people_can_read(town: Town) -> None:
    who = town.insured()
    bills = [town.bill(who) for _ in range(3)]
    claim_id = town.claim(who, bills)
    numbers = [bill["clearing_no"] for bill in who.get(f"/claims/{claim_id}")["bills"]]
    assert [int(number[8:18]) for number in numbers] == list(range(int(numbers[0][8:18]), int(numbers[0][8:18]) + 3))
    assert who.get(f"/claims/{claim_id}")["no"].startswith("CL")
    assert [row[:3] for row in clearing_rows(town, claim_id)] == [("pay", True, False)] * 3
    missing = "SELECT max(ordinal) - count(*) FROM claim_bill"
    assert town.value(missing) == 0


def test_above_wechats_limit_only_a_bank_card(town: Town) -> None:
    who = town.insured()
    bill_id = town.bill(who, (20_000_01,))
    refused = town.apply_for(who, [bill_id], payee=WECHAT, documents=[IMAGE])
    assert (refused.status_code, refused.get_json()["code"]) == (422, "payee_bank_only")
    assert town.apply_for(who, [bill_id], documents=[IMAGE]).status_code == 201


def test_from_ten_thousand_yuan_on_the_identity_image_is_on_file(town: Town) -> None:
    who = town.insured()
    below, first, second = town.bill(who, (9_999_99,)), town.bill(who, (10_000_00,)), town.bill(who, (10_000_00,))
    assert town.apply_for(who, [below]).status_code == 201
    assert town.apply_for(who, [first]).get_json()["code"] == "identity_image_needed"
    assert town.apply_for(who, [first], documents=[IMAGE | {"content_base64": "====="}]).status_code == 422
    assert town.apply_for(who, [first], documents=[IMAGE]).status_code == 201
    assert town.apply_for(who, [second]).status_code == 201, "it stays on file"


@pytest.mark.parametrize("media_type", ["image/jpeg", "image/png", "application/pdf"])
def test_a_file_is_what_it_says_it_is(town: Town, media_type: str) -> None:
    who = town.insured()
    bill_id = town.bill(who)
    page = b64encode(b"<script>alert(1)</script>").decode()
    refused = town.apply_for(who, [bill_id], documents=[IMAGE | {"media_type": media_type, "content_base64": page}])
    assert (refused.status_code, refused.get_json()["code"]) == (422, "document_unfitting")


def test_files_of_twelve_megabytes_are_taken_and_of_more_the_limit_is_named(town: Town) -> None:
    who = town.insured()
    bill_id = town.bill(who)
    beginning = b64decode(IMAGE["content_base64"])
    photo = IMAGE | {"content_base64": b64encode(beginning + bytes(3_000_000 - len(beginning))).decode()}
    refused = town.apply_for(who, [bill_id], documents=[photo] * 6)
    assert (refused.status_code, refused.get_json()["code"]) == (413, "too_large")
    assert refused.get_json()["message"] == "内容太大，一次请求最多 16 MB"
    larger = photo | {"content_base64": photo["content_base64"] + "AAAA"}
    refused = town.apply_for(who, [bill_id], documents=[larger])
    assert refused.get_json()["fields"] == {"documents.0.content_base64": "太长，最多 4000000 个字符"}
    assert town.apply_for(who, [bill_id], documents=[photo] * 4).status_code == 201


def test_an_unbound_pair_of_merchant_and_app_can_only_pay_to_a_card(town: Town) -> None:
    who = town.insured()
    bill_id = town.bill(who)
    app_id = town.clinic.app_id("H1")
    unbind = ("DELETE FROM merchant_app USING merchant, party WHERE merchant.id = merchant_id AND party.id = party_id"
              " AND party.code = 'I2' AND app_id = :app")  # fmt: skip
    town.rows(unbind, app=app_id)
    refused = town.apply_for(who, [bill_id], "I2", payee=WECHAT)
    assert (refused.status_code, refused.get_json()["code"]) == (422, "payee_bank_only")
    assert town.apply_for(who, [bill_id], "I2").status_code == 201
    town.rows("INSERT INTO merchant_app (merchant_id, app_id) SELECT merchant.id, :app FROM merchant JOIN party"
              " ON party.id = party_id WHERE party.code = 'I2'", app=app_id)  # fmt: skip


def test_only_a_childs_guardian_receives_for_another(town: Town) -> None:
    who = town.insured("王五")
    refused = town.apply_for(who, [town.bill(who)], payee={"kind": "wechat", "relation": "guardian"})
    assert (refused.status_code, refused.get_json()["code"]) == (422, "payee_not_guardian")
    child, bill_id = child_of(town, who)
    refused = town.apply_for(who, [bill_id], person_id=child, payee=WECHAT)
    assert refused.get_json()["code"] == "payee_bank_only"
    given = town.apply_for(who, [bill_id], person_id=child, payee={"kind": "wechat", "relation": "guardian"})
    assert given.status_code == 201, given.get_json()
    row = town.rows("SELECT id, payee_name_sealed FROM claim WHERE id = :id", id=given.get_json()["id"])[0]
    name = town.runtime.privacy.open(row.payee_name_sealed, f"claim:payee_name_sealed:{row.id}")
    assert name == "王五", "the money is the guardian's to receive"


def child_of(town: Town, who: Insured) -> tuple[str, Any]:
    """A child bound by its guardian, with a bill."""
    number = f"C{who.patient_no}"
    phone = town.runtime.privacy.open(
        town.value("SELECT phone_sealed FROM person WHERE id = :id", id=who.person_id),
        f"person:phone_sealed:{who.person_id}",
    )
    bound = town.clinic.bind(
        who.patient,
        number,
        name="王小五",
        document_type="birth_certificate",
        document_no=f"B{who.patient_no[-9:]:0>9}",
        phone=phone,
        relation="child",
        birth_date="2020-05-01",
        sex="female",
        guardian_proof={"kind": "birth_certificate", "number": "P310000001"},
    )
    small = Insured(who.patient, bound["person"]["id"], number, "王小五", "", "2020-05-01")
    return str(bound["person"]["id"]), town.bill(small)
