"""The hospital's desk: identity, registration, booking, and the visit itself. Every call may come twice."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime, time
from typing import Any

from mock_partners.his.numbers import birth_date_of, is_identity_number, sex_of
from mock_partners.his.records import SHANGHAI, Attendance, Db, Records, Refused

_PHONE = re.compile(r"1[3-9][0-9]{9}", re.ASCII)
_CARD = re.compile(r"[A-Z0-9]{4,32}", re.ASCII)
Body = Mapping[str, Any]


class Desk:
    """One hospital's desk over its HIS. `seed` decides what visits of the day look like."""

    def __init__(self, records: Records, seed: str) -> None:
        self.records, self.seed = records, seed

    def verify(self, body: Body) -> dict[str, Any]:
        """The patient number of the person, None for a plausible stranger. Raises Refused if something disagrees."""
        with self.records.transaction() as db:
            known = self.records.find(db, body["document_no"])
        if known is None:
            if not _plausible(body):
                raise Refused("document_unknown", "证件信息无效，请核对后重试")
            return {"patient_no": None}
        if known.name != body["name"]:
            raise Refused("name_mismatch", "姓名与医院登记的信息不一致")
        if body["phone"] not in known.phones:
            raise Refused("phone_mismatch", "手机号与医院登记的信息不一致")
        return {"patient_no": known.patient_no}

    def register(self, body: Body) -> dict[str, Any]:
        """Make the person known; the same registration number again gives the same answer."""
        content = json.dumps(dict(body), sort_keys=True, ensure_ascii=False)
        with self.records.transaction() as db:
            row = db.execute("SELECT nr, brid FROM br_jdsq WHERE sqh = %s", (body["registration_no"],)).fetchone()
            if row is not None:
                if row["nr"] != content:
                    raise Refused("registration_no_reused", "建档申请号已用于另一份申请")
                return {"patient_no": row["brid"]}
            patient_no = self._admit(db, body)
            db.execute(
                "INSERT INTO br_jdsq (sqh, nr, brid) VALUES (%s, %s, %s)",
                (body["registration_no"], content, patient_no),
            )
        return {"patient_no": patient_no}

    def _admit(self, db: Db, body: Body) -> str:
        if not _plausible(body):
            raise Refused("document_invalid", "证件信息无效，无法建档", 422)
        if db.execute("SELECT 1 FROM br_hmd WHERE zjhm = %s", (body["document_no"].upper(),)).fetchone():
            raise Refused("blacklisted", "暂不能在线建档，请到医院窗口办理")
        known = self.records.find(db, body["document_no"])
        if known is None:
            return self.records.create(db, body)
        if known.name != body["name"]:
            raise Refused("name_mismatch", "姓名与医院登记的信息不一致")
        if not known.alive:
            raise Refused("document_invalid", "证件信息无效，无法建档", 422)
        return known.patient_no

    def appoint(self, body: Body) -> None:
        with self.records.transaction() as db:
            if db.execute("SELECT 1 FROM gh_yy WHERE yyh = %s", (body["appointment_no"],)).fetchone():
                return
            slot = db.execute(
                "SELECT xhs - yghs AS left, zt FROM gh_hy WHERE hyid = %s FOR UPDATE", (body["slot_key"],)
            ).fetchone()
            if slot is None or slot["zt"] != "1":
                raise Refused("slot_stopped", "该号源已停诊")
            if slot["left"] < 1:
                raise Refused("slot_full", "该号源已约满")
            self._check_card(db, body)
            db.execute("UPDATE gh_hy SET yghs = yghs + 1 WHERE hyid = %s", (body["slot_key"],))
            db.execute(
                "INSERT INTO gh_yy (yyh, hyid, xm, zjhm, sjh, ybkh) VALUES (%s, %s, %s, %s, %s, %s)",
                (
                    body["appointment_no"],
                    body["slot_key"],
                    body["name"],
                    body["document_no"].upper(),
                    body["phone"],
                    body.get("medical_card_no"),
                ),
            )

    def _check_card(self, db: Db, body: Body) -> None:
        """A card must be one that can exist, and a known patient's own. Without one the patient pays for everything."""
        card_no = body.get("medical_card_no")
        if card_no is None:
            return
        if not isinstance(card_no, str) or not _CARD.fullmatch(card_no):
            raise Refused("card_invalid", "医保卡号不正确", 422)
        known = self.records.find(db, body["document_no"])
        if known is not None and known.medical_card_no not in (None, card_no):
            raise Refused("card_mismatch", "医保卡号与医院登记的不一致")

    def cancel_appointment(self, appointment_no: str) -> None:
        """Give the slot back; an appointment that was never confirmed or is cancelled already stays as it is."""
        with self.records.transaction() as db:
            row = db.execute(
                "UPDATE gh_yy SET zt = '9' WHERE yyh = %s AND zt = '1' RETURNING hyid", (appointment_no,)
            ).fetchone()
            if row is not None:
                db.execute("UPDATE gh_hy SET yghs = yghs - 1 WHERE hyid = %s", (row["hyid"],))

    def attend(self, body: Body) -> dict[str, Any]:
        """The patient comes: to the booked slot (`appointment_no`) or to the counter (`patient_no`)."""
        with self.records.transaction() as db:
            if body.get("appointment_no"):
                return self._keep_appointment(db, body)
            return self.records.open_visit(db, Attendance(body["patient_no"], self._at(body, None), self.seed))

    def _keep_appointment(self, db: Db, body: Body) -> dict[str, Any]:
        row = db.execute(
            "SELECT y.zjhm, y.zt, y.jzlsh, y.jg, h.ksid, h.ysid, h.kssj FROM gh_yy y JOIN gh_hy h USING (hyid)"
            " WHERE y.yyh = %s FOR UPDATE OF y",
            (body["appointment_no"],),
        ).fetchone()
        if row is None or row["zt"] == "9":
            raise Refused("appointment_unknown", "没有这个预约", 422)
        if row["jzlsh"] is not None:
            return dict(row["jg"])
        known = self.records.find(db, row["zjhm"])
        if known is None:
            raise Refused("not_registered", "患者尚未建档")
        attendance = Attendance(
            known.patient_no,
            self._at(body, row["kssj"]),
            self.seed,
            body["appointment_no"],
            row["ksid"],
            row["ysid"],
        )
        visit = self.records.open_visit(db, attendance)
        db.execute(
            "UPDATE gh_yy SET zt = '2', jzlsh = %s, jg = %s WHERE yyh = %s",
            (visit["visit_key"], json.dumps(visit), body["appointment_no"]),
        )
        return visit

    @staticmethod
    def _at(body: Body, slot_start: datetime | None) -> datetime:
        """When the visit begins: as told, else on the day told, else at the slot's hour."""
        if body.get("at"):
            return datetime.fromisoformat(body["at"])
        if slot_start is not None:
            return slot_start.replace(tzinfo=SHANGHAI)
        return datetime.combine(datetime.fromisoformat(body["on"]), time(10, 30), SHANGHAI)

    def people(self) -> list[dict[str, Any]]:
        with self.records.transaction() as db:
            return [row["body"] for row in db.execute("SELECT body FROM mock_people ORDER BY xh")]

    def arrivals(self) -> list[dict[str, Any]]:
        """Registrations in the order in which they arrived."""
        with self.records.transaction() as db:
            rows = db.execute("SELECT xh, sqh, brid, djsj FROM br_jdsq ORDER BY xh").fetchall()
        return [
            {
                "ordinal": row["xh"],
                "registration_no": row["sqh"],
                "patient_no": row["brid"],
                "at": row["djsj"].isoformat(),
            }
            for row in rows
        ]


def _plausible(body: Body) -> bool:
    """A document that could exist: an identity number must be right and fit birth date and sex."""
    number = str(body["document_no"]).upper()
    if not str(body["name"]).strip() or not _PHONE.fullmatch(body["phone"]):
        return False
    if body["document_type"] != "id_card":
        return 5 <= len(number) <= 30
    born = birth_date_of(number) if is_identity_number(number) else None
    return born is not None and born.isoformat() == body["birth_date"] and sex_of(number) == body["sex"]
