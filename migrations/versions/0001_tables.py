"""Every table of the first release."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


# The entries of a ledger transaction add up to zero, or its commit is refused.
ADDS_UP = """
CREATE OR REPLACE FUNCTION ledger_transaction_adds_up() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    touched uuid;
BEGIN
    FOREACH touched IN ARRAY ARRAY[OLD.transaction_id, NEW.transaction_id] LOOP
        IF (SELECT sum(amount_fen) FROM ledger_entry WHERE transaction_id = touched) <> 0 THEN
            RAISE EXCEPTION 'ledger transaction does not add up to zero' USING ERRCODE = 'check_violation';
        END IF;
    END LOOP;
    RETURN NULL;
END $$
"""
ADDS_UP_TRIGGER = """
CREATE CONSTRAINT TRIGGER ledger_entry_adds_up AFTER INSERT OR UPDATE OR DELETE ON ledger_entry
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_transaction_adds_up()
"""


def upgrade() -> None:
    op.create_table(
        "audit_entry",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column(
            "at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("actor_kind", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject_type", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("from_status", sa.Text(), nullable=True),
        sa.Column("to_status", sa.Text(), nullable=True),
        sa.Column("detail", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "xid", sa.BigInteger(), server_default=sa.text("(pg_current_xact_id()::text)::bigint"), nullable=False
        ),
        sa.Column("seq", sa.BigInteger(), nullable=True),
        sa.Column("prev_hash", sa.Text(), nullable=True),
        sa.Column("hash", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entry")),
    )
    op.create_index("ix_audit_entry_subject", "audit_entry", ["subject_id", "id"], unique=False)
    op.create_index(
        "ix_audit_entry_unsealed", "audit_entry", ["id"], unique=False, postgresql_where=sa.text("seq IS NULL")
    )
    op.create_index(
        "uq_audit_entry_seq", "audit_entry", ["seq"], unique=True, postgresql_where=sa.text("seq IS NOT NULL")
    )
    op.create_table(
        "clock_anchor",
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("machine", sa.Text(), nullable=False),
        sa.Column("least_s", sa.Double(), nullable=False),
        sa.Column("most_s", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("scope", "machine", name=op.f("pk_clock_anchor")),
    )
    op.create_table(
        "e_bill_check",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("check_code", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("asked_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint(
            "answer IN ('valid', 'reversed', 'unknown', 'check_code_wrong')", name=op.f("ck_e_bill_check_answer")
        ),
        sa.PrimaryKeyConstraint("code", "number", "check_code", name=op.f("pk_e_bill_check")),
    )
    op.create_table(
        "idempotency_key",
        sa.Column("principal", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request_hash", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("response_sealed", sa.Text(), nullable=True),
        sa.Column(
            "created_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("principal", "key", name=op.f("pk_idempotency_key")),
    )
    op.create_index(op.f("ix_idempotency_key_created_at"), "idempotency_key", ["created_at"], unique=False)
    op.create_table(
        "ledger_transaction",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("reference", sa.Uuid(), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column(
            "booked_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('approve', 'unapprove', 'pay', 'return', 'recover', 'unrecover', 'repay', 'write_off')",
            name=op.f("ck_ledger_transaction_kind"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_transaction")),
        sa.UniqueConstraint("kind", "reference", name=op.f("uq_ledger_transaction_kind_reference")),
    )
    op.create_table(
        "login_attempt",
        sa.Column("login_index", sa.Text(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("last_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("locked_until", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("login_index", name=op.f("pk_login_attempt")),
    )
    op.create_index(op.f("ix_login_attempt_last_at"), "login_attempt", ["last_at"], unique=False)
    op.create_table(
        "number_series",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("last_no", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_number_series")),
    )
    op.create_table(
        "party",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("config", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("outbound_secret_sealed", sa.Text(), nullable=True),
        sa.Column("package_key", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("outbound_older_sealed", sa.Text(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("kind IN ('hospital', 'insurer', 'medical_insurance', 'bank')", name=op.f("ck_party_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_party")),
        sa.UniqueConstraint("code", name=op.f("uq_party_code")),
    )
    op.create_table(
        "pay_notification",
        sa.Column("mchid", sa.Text(), nullable=False),
        sa.Column("notification_id", sa.Text(), nullable=False),
        sa.Column("event_type", sa.Text(), nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "received_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pay_notification")),
        sa.UniqueConstraint("mchid", "notification_id", name=op.f("uq_pay_notification_mchid_notification_id")),
    )
    op.create_table(
        "person",
        sa.Column("document_type", sa.Text(), nullable=False),
        sa.Column("document_no_sealed", sa.Text(), nullable=False),
        sa.Column("document_index", sa.Text(), nullable=False),
        sa.Column("document_mask", sa.Text(), nullable=False),
        sa.Column("name_sealed", sa.Text(), nullable=False),
        sa.Column("name_index", sa.Text(), nullable=False),
        sa.Column("name_mask", sa.Text(), nullable=False),
        sa.Column("phone_sealed", sa.Text(), nullable=False),
        sa.Column("phone_index", sa.Text(), nullable=False),
        sa.Column("phone_mask", sa.Text(), nullable=False),
        sa.Column("medical_card_no_sealed", sa.Text(), nullable=True),
        sa.Column("medical_card_index", sa.Text(), nullable=True),
        sa.Column("birth_date", sa.Date(), nullable=False),
        sa.Column("sex", sa.Text(), nullable=False),
        sa.Column("identity_image", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("confirmed", sa.Boolean(), server_default="false", nullable=False),
        sa.Column(
            "created_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("sex IN ('male', 'female')", name=op.f("ck_person_sex")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sa.UniqueConstraint("document_type", "document_index", name=op.f("uq_person_document_type_document_index")),
    )
    op.create_index(op.f("ix_person_medical_card_index"), "person", ["medical_card_index"], unique=False)
    op.create_index(op.f("ix_person_name_index"), "person", ["name_index"], unique=False)
    op.create_index(op.f("ix_person_phone_index"), "person", ["phone_index"], unique=False)
    op.create_table(
        "quota_slot",
        sa.Column("budget", sa.Text(), nullable=False),
        sa.Column("no", sa.Integer(), nullable=False),
        sa.Column("free_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("holder", sa.Text(), nullable=True),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("taken_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("took_s", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("budget", "no", name=op.f("pk_quota_slot")),
    )
    op.create_table(
        "refresh_token",
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column(
            "issued_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("used_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("fingerprint", name=op.f("pk_refresh_token")),
    )
    op.create_index(op.f("ix_refresh_token_session_id"), "refresh_token", ["session_id"], unique=False)
    op.create_table(
        "scheduled_run",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column(
            "started_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("day", "kind", name=op.f("pk_scheduled_run")),
    )
    op.create_table(
        "task",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Uuid(), nullable=True),
        sa.Column("args", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("status", sa.Text(), server_default="due", nullable=False),
        sa.Column(
            "run_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column(
            "created_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("lease", sa.Integer(), nullable=True),
        sa.Column("fence", sa.Integer(), server_default="0", nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task")),
    )
    op.create_index(
        "ix_task_due", "task", ["kind", "run_at", "id"], unique=False, postgresql_where=sa.text("status = 'due'")
    )
    op.create_index("ix_task_subject", "task", ["subject"], unique=False)
    op.create_table(
        "used_login_state",
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("nonce", name=op.f("pk_used_login_state")),
    )
    op.create_index(op.f("ix_used_login_state_expires_at"), "used_login_state", ["expires_at"], unique=False)
    op.create_table(
        "wechat_push",
        sa.Column("app_id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("sent_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column(
            "received_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wechat_push")),
        sa.UniqueConstraint("app_id", "key", name="uq_wechat_push"),
    )
    op.create_index(op.f("ix_wechat_push_received_at"), "wechat_push", ["received_at"], unique=False)
    op.create_index("ix_wechat_push_sender", "wechat_push", ["app_id", "sender", "sent_at"], unique=False)
    op.create_table(
        "bank_account",
        sa.Column("party_id", sa.Uuid(), nullable=False),
        sa.Column("account_sealed", sa.Text(), nullable=False),
        sa.Column("account_mask", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["party_id"], ["party.id"], name=op.f("fk_bank_account_party_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_account")),
        sa.UniqueConstraint("party_id", name=op.f("uq_bank_account_party_id")),
    )
    op.create_table(
        "change",
        sa.Column("party_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("cursor", sa.BigInteger(), nullable=True),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("data_sealed", sa.Text(), nullable=False),
        sa.Column(
            "created_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["party_id"], ["party.id"], name=op.f("fk_change_party_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_change")),
        sa.UniqueConstraint("party_id", "cursor", name="uq_change_cursor"),
    )
    op.create_index(
        "ix_change_new", "change", ["party_id", "number"], unique=False, postgresql_where=sa.text("cursor IS NULL")
    )
    op.create_table(
        "command",
        sa.Column("party_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=True),
        sa.Column("subject", sa.Uuid(), nullable=True),
        sa.Column("body_sealed", sa.Text(), nullable=False),
        sa.Column("once", sa.Boolean(), nullable=False),
        sa.Column("deadline", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("answer_by", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column(
            "created_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("handed_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column(
            "status_since",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("NOT once OR deadline IS NOT NULL", name=op.f("ck_command_once_needs_deadline")),
        sa.CheckConstraint(
            "answer_by IS NULL OR answer_by >= deadline", name=op.f("ck_command_answer_by_after_deadline")
        ),
        sa.ForeignKeyConstraint(["party_id"], ["party.id"], name=op.f("fk_command_party_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_command")),
    )
    op.create_index(
        "ix_command_deadline",
        "command",
        ["deadline"],
        unique=False,
        postgresql_where=sa.text("status IN ('open', 'fetched') AND deadline IS NOT NULL"),
    )
    op.create_index(op.f("ix_command_status"), "command", ["status"], unique=False)
    op.create_index(
        "ix_command_subject", "command", ["subject"], unique=False, postgresql_where=sa.text("subject IS NOT NULL")
    )
    op.create_index(
        "ix_command_waiting",
        "command",
        ["party_id", "lane", "seq", "number"],
        unique=False,
        postgresql_where=sa.text("status IN ('open', 'fetched')"),
    )
    op.create_index(
        "uq_command_seq",
        "command",
        ["party_id", "lane", "seq"],
        unique=True,
        postgresql_where=sa.text("seq IS NOT NULL"),
    )
    op.create_table(
        "data_request",
        sa.Column("party_id", sa.Uuid(), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.Column("request_no", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("data_sealed", sa.Text(), nullable=False),
        sa.Column(
            "created_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("deadline", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("cursor", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("answer_sealed", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column(
            "status_since",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("outcome IN ('done', 'refused', 'failed', 'unknown')", name=op.f("ck_data_request_outcome")),
        sa.ForeignKeyConstraint(["hospital_id"], ["party.id"], name=op.f("fk_data_request_hospital_id")),
        sa.ForeignKeyConstraint(["party_id"], ["party.id"], name=op.f("fk_data_request_party_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_data_request")),
        sa.UniqueConstraint("party_id", "cursor", name="uq_data_request_cursor"),
        sa.UniqueConstraint("party_id", "request_no", name="uq_data_request_number"),
    )
    op.create_index(
        "ix_data_request_deadline",
        "data_request",
        ["deadline"],
        unique=False,
        postgresql_where=sa.text("status IN ('open', 'fetched')"),
    )
    op.create_index(op.f("ix_data_request_status"), "data_request", ["status"], unique=False)
    op.create_table(
        "department",
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["hospital_id"], ["party.id"], name=op.f("fk_department_hospital_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_department")),
        sa.UniqueConstraint("hospital_id", "code", name=op.f("uq_department_hospital_id_code")),
    )
    op.create_table(
        "doctor",
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("department_code", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["hospital_id"], ["party.id"], name=op.f("fk_doctor_hospital_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_doctor")),
        sa.UniqueConstraint("hospital_id", "code", name=op.f("uq_doctor_hospital_id_code")),
    )
    op.create_table(
        "lane",
        sa.Column("party_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("last_seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["party_id"], ["party.id"], name=op.f("fk_lane_party_id")),
        sa.PrimaryKeyConstraint("party_id", "name", name=op.f("pk_lane")),
    )
    op.create_table(
        "ledger_account",
        sa.Column("party_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('expense', 'payable', 'wechat', 'bank', 'receivable', 'collected')",
            name=op.f("ck_ledger_account_kind"),
        ),
        sa.ForeignKeyConstraint(["party_id"], ["party.id"], name=op.f("fk_ledger_account_party_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_account")),
        sa.UniqueConstraint("party_id", "kind", name=op.f("uq_ledger_account_party_id_kind")),
    )
    op.create_table(
        "merchant",
        sa.Column("party_id", sa.Uuid(), nullable=False),
        sa.Column("mchid", sa.Text(), nullable=False),
        sa.Column("serial_no", sa.Text(), nullable=False),
        sa.Column("private_key_sealed", sa.Text(), nullable=False),
        sa.Column("apiv3_key_sealed", sa.Text(), nullable=False),
        sa.Column("wechat_public_key_id", sa.Text(), nullable=False),
        sa.Column("wechat_public_key_pem", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["party_id"], ["party.id"], name=op.f("fk_merchant_party_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_merchant")),
        sa.UniqueConstraint("mchid", name=op.f("uq_merchant_mchid")),
        sa.UniqueConstraint("party_id", name=op.f("uq_merchant_party_id")),
    )
    op.create_table(
        "operator",
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column("party_id", sa.Uuid(), nullable=True),
        sa.Column("duty", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("totp_sealed", sa.Text(), nullable=False),
        sa.Column("totp_step", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("active", sa.Boolean(), server_default="true", nullable=False),
        sa.Column(
            "created_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["party_id"], ["party.id"], name=op.f("fk_operator_party_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operator")),
        sa.UniqueConstraint("id", "duty", name=op.f("uq_operator_id_duty")),
        sa.UniqueConstraint("login", name=op.f("uq_operator_login")),
    )
    op.create_table(
        "partner",
        sa.Column("party_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("program", sa.Text(), nullable=False),
        sa.Column("acked_cursor", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("bad_rows", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["party_id"], ["party.id"], name=op.f("fk_partner_party_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_partner")),
        sa.UniqueConstraint("code", name=op.f("uq_partner_code")),
    )
    op.create_index(op.f("ix_partner_party_id"), "partner", ["party_id"], unique=False)
    op.create_table(
        "patient_number",
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.Column("patient_no", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column(
            "since", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("pull_id", sa.Uuid(), nullable=True),
        sa.Column("awaited_since", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("more_follows", sa.Boolean(), server_default="false", nullable=False),
        sa.CheckConstraint("(pull_id IS NULL) = (awaited_since IS NULL)", name=op.f("ck_patient_number_awaited")),
        sa.CheckConstraint("NOT more_follows OR pull_id IS NOT NULL", name=op.f("ck_patient_number_more_follows")),
        sa.ForeignKeyConstraint(["hospital_id"], ["party.id"], name=op.f("fk_patient_number_hospital_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_patient_number_person_id")),
        sa.PrimaryKeyConstraint("hospital_id", "patient_no", name=op.f("pk_patient_number")),
        sa.UniqueConstraint("person_id", "hospital_id", name=op.f("uq_patient_number_person_id_hospital_id")),
    )
    op.create_index(
        "ix_patient_number_awaited",
        "patient_number",
        ["hospital_id", "awaited_since"],
        unique=False,
        postgresql_where=sa.text("pull_id IS NOT NULL"),
    )
    op.create_index(
        "ix_patient_number_pull",
        "patient_number",
        ["pull_id"],
        unique=False,
        postgresql_where=sa.text("pull_id IS NOT NULL"),
    )
    op.create_table(
        "policy",
        sa.Column("insurer_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("policy_no", sa.Text(), nullable=False),
        sa.Column("product_name", sa.Text(), nullable=False),
        sa.Column("product_filing_no", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=False),
        sa.Column("deductible_left_fen", sa.BigInteger(), nullable=True),
        sa.Column("ratio", sa.Numeric(precision=5, scale=4), nullable=True),
        sa.Column("ceiling_left_fen", sa.BigInteger(), nullable=False),
        sa.Column(
            "asked_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["insurer_id"], ["party.id"], name=op.f("fk_policy_insurer_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_policy_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy")),
        sa.UniqueConstraint(
            "insurer_id", "policy_no", "person_id", name=op.f("uq_policy_insurer_id_policy_no_person_id")
        ),
    )
    op.create_index(op.f("ix_policy_person_id"), "policy", ["person_id"], unique=False)
    op.create_table(
        "push",
        sa.Column("party_id", sa.Uuid(), nullable=False),
        sa.Column("cursor", sa.BigInteger(), nullable=False),
        sa.Column("busy_until", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["party_id"], ["party.id"], name=op.f("fk_push_party_id")),
        sa.PrimaryKeyConstraint("party_id", name=op.f("pk_push")),
    )
    op.create_table(
        "reconciliation_run",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=True),
        sa.Column("started_by", sa.Text(), nullable=False),
        sa.Column(
            "started_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("collect_until", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("compared_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("attendance", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("counts", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("checks", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column(
            "status_since",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("kind IN ('parties', 'funds')", name=op.f("ck_reconciliation_run_kind")),
        sa.ForeignKeyConstraint(["hospital_id"], ["party.id"], name=op.f("fk_reconciliation_run_hospital_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reconciliation_run")),
        sa.UniqueConstraint(
            "kind", "business_date", "attempt", name=op.f("uq_reconciliation_run_kind_business_date_attempt")
        ),
    )
    op.create_index(op.f("ix_reconciliation_run_status"), "reconciliation_run", ["status"], unique=False)
    op.create_table(
        "registration_line",
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.Column("let_in_no", sa.BigInteger(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["hospital_id"], ["party.id"], name=op.f("fk_registration_line_hospital_id")),
        sa.PrimaryKeyConstraint("hospital_id", name=op.f("pk_registration_line")),
    )
    op.create_table(
        "slot",
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("department_code", sa.Text(), nullable=False),
        sa.Column("doctor_code", sa.Text(), nullable=False),
        sa.Column("starts_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("ends_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("allotment", sa.Integer(), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("taken", sa.Integer(), server_default="0", nullable=False),
        sa.Column("fee_fen", sa.BigInteger(), nullable=False),
        sa.Column("stopped", sa.Boolean(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("taken BETWEEN 0 AND capacity", name=op.f("ck_slot_taken")),
        sa.ForeignKeyConstraint(["hospital_id"], ["party.id"], name=op.f("fk_slot_hospital_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_slot")),
        sa.UniqueConstraint("hospital_id", "key", name=op.f("uq_slot_hospital_id_key")),
    )
    op.create_index("ix_slot_open", "slot", ["hospital_id", "department_code", "starts_at"], unique=False)
    op.create_table(
        "tie_comparison",
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.Column("asked_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("compared_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("ours", sa.Integer(), nullable=True),
        sa.Column("theirs", sa.Integer(), nullable=True),
        sa.Column("missing", sa.Integer(), nullable=True),
        sa.Column("left_over", sa.Integer(), nullable=True),
        sa.Column("revoked", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["hospital_id"], ["party.id"], name=op.f("fk_tie_comparison_hospital_id")),
        sa.PrimaryKeyConstraint("hospital_id", name=op.f("pk_tie_comparison")),
    )
    op.create_table(
        "visit",
        sa.Column("patient_no", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("campus", sa.Text(), nullable=True),
        sa.Column("department_name", sa.Text(), nullable=False),
        sa.Column("doctor_name", sa.Text(), nullable=True),
        sa.Column("started_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("ended_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("booked_in_wechat", sa.Boolean(), nullable=False),
        sa.Column("appointment_no", sa.Text(), nullable=True),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column(
            "received_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["hospital_id"], ["party.id"], name=op.f("fk_visit_hospital_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visit")),
        sa.UniqueConstraint("hospital_id", "key", name=op.f("uq_visit_hospital_id_key")),
    )
    op.create_index("ix_visit_patient", "visit", ["hospital_id", "patient_no"], unique=False)
    op.create_table(
        "wechat_app",
        sa.Column("party_id", sa.Uuid(), nullable=False),
        sa.Column("app_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("original_id", sa.Text(), nullable=False),
        sa.Column("domain", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("secret_sealed", sa.Text(), nullable=False),
        sa.Column("token_sealed", sa.Text(), nullable=False),
        sa.Column("aes_key_sealed", sa.Text(), nullable=False),
        sa.Column("templates", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("kind IN ('oa', 'mini')", name=op.f("ck_wechat_app_kind")),
        sa.CheckConstraint("mode IN ('plain', 'compatible', 'safe')", name=op.f("ck_wechat_app_mode")),
        sa.ForeignKeyConstraint(["party_id"], ["party.id"], name=op.f("fk_wechat_app_party_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wechat_app")),
        sa.UniqueConstraint("app_id", name=op.f("uq_wechat_app_app_id")),
        sa.UniqueConstraint("original_id", name=op.f("uq_wechat_app_original_id")),
    )
    op.create_index(op.f("ix_wechat_app_party_id"), "wechat_app", ["party_id"], unique=False)
    op.create_table(
        "account",
        sa.Column("app_id", sa.Text(), nullable=False),
        sa.Column("openid", sa.Text(), nullable=False),
        sa.Column("unionid", sa.Text(), nullable=True),
        sa.Column("following", sa.Boolean(), server_default="false", nullable=False),
        sa.Column(
            "created_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["app_id"], ["wechat_app.app_id"], name=op.f("fk_account_app_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("app_id", "openid", name=op.f("uq_account_app_id_openid")),
    )
    op.create_index(op.f("ix_account_unionid"), "account", ["unionid"], unique=False)
    op.create_table(
        "batch",
        sa.Column("party_id", sa.Uuid(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("batch_no", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column(
            "received_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("rows_sealed", sa.Text(), nullable=False),
        sa.Column("verdicts", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("tally", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column(
            "status_since",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("kind IN ('catalogue', 'record', 'ledger')", name=op.f("ck_batch_kind")),
        sa.ForeignKeyConstraint(["partner_id"], ["partner.id"], name=op.f("fk_batch_partner_id")),
        sa.ForeignKeyConstraint(["party_id"], ["party.id"], name=op.f("fk_batch_party_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_batch")),
        sa.UniqueConstraint("partner_id", "batch_no", name="uq_batch_number"),
    )
    op.create_index("ix_batch_day", "batch", ["party_id", "business_date", "kind"], unique=False)
    op.create_index(op.f("ix_batch_status"), "batch", ["status"], unique=False)
    op.create_table(
        "bill",
        sa.Column("visit_id", sa.Uuid(), nullable=False),
        sa.Column("patient_no", sa.Text(), nullable=False),
        sa.Column("bill_no", sa.Text(), nullable=False),
        sa.Column("total_fen", sa.BigInteger(), nullable=False),
        sa.Column("fund_fen", sa.BigInteger(), nullable=False),
        sa.Column("account_fen", sa.BigInteger(), nullable=False),
        sa.Column("self_pay_fen", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("billed_on", sa.Date(), nullable=False),
        sa.Column("settled_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("lines_fen", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("refused_reason", sa.Text(), nullable=True),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column(
            "received_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("check_field", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "total_fen >= 0 AND fund_fen >= 0 AND account_fen >= 0 AND self_pay_fen >= 0", name=op.f("ck_bill_amounts")
        ),
        sa.ForeignKeyConstraint(["hospital_id"], ["party.id"], name=op.f("fk_bill_hospital_id")),
        sa.ForeignKeyConstraint(["visit_id"], ["visit.id"], name=op.f("fk_bill_visit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bill")),
        sa.UniqueConstraint("hospital_id", "key", name=op.f("uq_bill_hospital_id_key")),
    )
    op.create_index("ix_bill_patient", "bill", ["hospital_id", "patient_no"], unique=False)
    op.create_index(op.f("ix_bill_visit_id"), "bill", ["visit_id"], unique=False)
    op.create_table(
        "command_reply",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("reply_sealed", sa.Text(), nullable=False),
        sa.Column(
            "answered_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "outcome IN ('done', 'refused', 'failed', 'unknown')", name=op.f("ck_command_reply_outcome")
        ),
        sa.ForeignKeyConstraint(["id"], ["command.id"], name=op.f("fk_command_reply_id")),
        sa.ForeignKeyConstraint(["partner_id"], ["partner.id"], name=op.f("fk_command_reply_partner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_command_reply")),
    )
    op.create_table(
        "diagnosis",
        sa.Column("visit_id", sa.Uuid(), nullable=False),
        sa.Column("main", sa.Boolean(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column(
            "received_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("code_system", sa.Text(), nullable=False),
        sa.Column("code_edition", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["hospital_id"], ["party.id"], name=op.f("fk_diagnosis_hospital_id")),
        sa.ForeignKeyConstraint(["visit_id"], ["visit.id"], name=op.f("fk_diagnosis_visit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_diagnosis")),
        sa.UniqueConstraint("hospital_id", "key", name=op.f("uq_diagnosis_hospital_id_key")),
    )
    op.create_index(op.f("ix_diagnosis_visit_id"), "diagnosis", ["visit_id"], unique=False)
    op.create_table(
        "document",
        sa.Column("visit_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("text_sealed", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column(
            "received_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["hospital_id"], ["party.id"], name=op.f("fk_document_hospital_id")),
        sa.ForeignKeyConstraint(["visit_id"], ["visit.id"], name=op.f("fk_document_visit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document")),
        sa.UniqueConstraint("hospital_id", "key", name=op.f("uq_document_hospital_id_key")),
    )
    op.create_index(op.f("ix_document_visit_id"), "document", ["visit_id"], unique=False)
    op.create_table(
        "inbox_message",
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("request_hash", sa.Text(), nullable=False),
        sa.Column("answer", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column(
            "received_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(["partner_id"], ["partner.id"], name=op.f("fk_inbox_message_partner_id")),
        sa.PrimaryKeyConstraint("partner_id", "message_id", name=op.f("pk_inbox_message")),
    )
    op.create_index(op.f("ix_inbox_message_received_at"), "inbox_message", ["received_at"], unique=False)
    op.create_table(
        "ledger_entry",
        sa.Column("transaction_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("check_field", sa.Text(), nullable=False),
        sa.CheckConstraint("amount_fen <> 0", name=op.f("ck_ledger_entry_amount")),
        sa.ForeignKeyConstraint(["account_id"], ["ledger_account.id"], name=op.f("fk_ledger_entry_account_id")),
        sa.ForeignKeyConstraint(
            ["transaction_id"], ["ledger_transaction.id"], name=op.f("fk_ledger_entry_transaction_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_entry")),
    )
    op.create_index(op.f("ix_ledger_entry_account_id"), "ledger_entry", ["account_id"], unique=False)
    op.create_index(op.f("ix_ledger_entry_transaction_id"), "ledger_entry", ["transaction_id"], unique=False)
    op.create_table(
        "medical_procedure",
        sa.Column("visit_id", sa.Uuid(), nullable=False),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column(
            "received_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("code_system", sa.Text(), nullable=False),
        sa.Column("code_edition", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["hospital_id"], ["party.id"], name=op.f("fk_medical_procedure_hospital_id")),
        sa.ForeignKeyConstraint(["visit_id"], ["visit.id"], name=op.f("fk_medical_procedure_visit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_medical_procedure")),
        sa.UniqueConstraint("hospital_id", "key", name=op.f("uq_medical_procedure_hospital_id_key")),
    )
    op.create_index(op.f("ix_medical_procedure_visit_id"), "medical_procedure", ["visit_id"], unique=False)
    op.create_table(
        "merchant_app",
        sa.Column("merchant_id", sa.Uuid(), nullable=False),
        sa.Column("app_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["app_id"], ["wechat_app.app_id"], name=op.f("fk_merchant_app_app_id")),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchant.id"], name=op.f("fk_merchant_app_merchant_id")),
        sa.PrimaryKeyConstraint("merchant_id", "app_id", name=op.f("pk_merchant_app")),
    )
    op.create_index(op.f("ix_merchant_app_app_id"), "merchant_app", ["app_id"], unique=False)
    op.create_table(
        "message",
        sa.Column("party_id", sa.Uuid(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("data_sealed", sa.Text(), nullable=False),
        sa.Column(
            "received_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["partner_id"], ["partner.id"], name=op.f("fk_message_partner_id")),
        sa.ForeignKeyConstraint(["party_id"], ["party.id"], name=op.f("fk_message_party_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
    )
    op.create_table(
        "operator_role",
        sa.Column("operator_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("duty", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "(role = 'claims' AND duty = 'business') OR (role = 'finance' AND duty = 'business') OR (role = 'payout_approver' AND duty = 'business') OR (role = 'administrator' AND duty = 'administrator') OR (role = 'security' AND duty = 'security') OR (role = 'auditor' AND duty = 'auditor')",
            name=op.f("ck_operator_role_role_fits_duty"),
        ),
        sa.ForeignKeyConstraint(
            ["operator_id", "duty"], ["operator.id", "operator.duty"], name=op.f("fk_operator_role_operator_id")
        ),
        sa.PrimaryKeyConstraint("operator_id", "role", name=op.f("pk_operator_role")),
    )
    op.create_table(
        "operator_session",
        sa.Column("operator_id", sa.Uuid(), nullable=False),
        sa.Column(
            "created_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("revoked_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("revoked_why", sa.Text(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["operator_id"], ["operator.id"], name=op.f("fk_operator_session_operator_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operator_session")),
    )
    op.create_index(op.f("ix_operator_session_expires_at"), "operator_session", ["expires_at"], unique=False)
    op.create_index(op.f("ix_operator_session_operator_id"), "operator_session", ["operator_id"], unique=False)
    op.create_index(op.f("ix_operator_session_revoked_at"), "operator_session", ["revoked_at"], unique=False)
    op.create_table(
        "partner_key",
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("secret_sealed", sa.Text(), nullable=True),
        sa.Column("public_key", sa.Text(), nullable=True),
        sa.Column(
            "created_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("retired_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("(secret_sealed IS NULL) <> (public_key IS NULL)", name=op.f("ck_partner_key_one_kind")),
        sa.CheckConstraint("place IN (1, 2)", name=op.f("ck_partner_key_place")),
        sa.ForeignKeyConstraint(["partner_id"], ["partner.id"], name=op.f("fk_partner_key_partner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_partner_key")),
    )
    op.create_index(
        "uq_partner_key_live",
        "partner_key",
        ["partner_id", "place"],
        unique=True,
        postgresql_where=sa.text("retired_at IS NULL"),
    )
    op.create_table(
        "reconciliation_difference",
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("clearing_no", sa.Text(), nullable=True),
        sa.Column("found_set", sa.Text(), nullable=True),
        sa.Column("role", sa.Text(), nullable=True),
        sa.Column("line", sa.Integer(), nullable=True),
        sa.Column("hospital_id", sa.Uuid(), nullable=True),
        sa.Column("insurer_id", sa.Uuid(), nullable=True),
        sa.Column("hospital_fen", sa.BigInteger(), nullable=True),
        sa.Column("hospital_status", sa.Text(), nullable=True),
        sa.Column("platform_fen", sa.BigInteger(), nullable=True),
        sa.Column("platform_status", sa.Text(), nullable=True),
        sa.Column("insurer_fen", sa.BigInteger(), nullable=True),
        sa.Column("insurer_status", sa.Text(), nullable=True),
        sa.Column("bank_fen", sa.BigInteger(), nullable=True),
        sa.Column("bank_status", sa.Text(), nullable=True),
        sa.Column("ledger_fen", sa.BigInteger(), nullable=True),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("first_run_id", sa.Uuid(), nullable=False),
        sa.Column("last_run_id", sa.Uuid(), nullable=False),
        sa.Column("suspended_until", sa.Date(), nullable=True),
        sa.Column("matched_on", sa.Date(), nullable=True),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("proposed_by", sa.Uuid(), nullable=True),
        sa.Column("resolved_by", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column(
            "status_since",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('presence', 'amount', 'status', 'duplicate', 'bad_row', 'tampered', 'funds_presence', 'funds_amount', 'funds_status', 'funds_bad_row')",
            name=op.f("ck_reconciliation_difference_kind"),
        ),
        sa.ForeignKeyConstraint(
            ["first_run_id"], ["reconciliation_run.id"], name=op.f("fk_reconciliation_difference_first_run_id")
        ),
        sa.ForeignKeyConstraint(["hospital_id"], ["party.id"], name=op.f("fk_reconciliation_difference_hospital_id")),
        sa.ForeignKeyConstraint(["insurer_id"], ["party.id"], name=op.f("fk_reconciliation_difference_insurer_id")),
        sa.ForeignKeyConstraint(
            ["last_run_id"], ["reconciliation_run.id"], name=op.f("fk_reconciliation_difference_last_run_id")
        ),
        sa.ForeignKeyConstraint(["owner_id"], ["operator.id"], name=op.f("fk_reconciliation_difference_owner_id")),
        sa.ForeignKeyConstraint(
            ["proposed_by"], ["operator.id"], name=op.f("fk_reconciliation_difference_proposed_by")
        ),
        sa.ForeignKeyConstraint(
            ["resolved_by"], ["operator.id"], name=op.f("fk_reconciliation_difference_resolved_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reconciliation_difference")),
        sa.UniqueConstraint(
            "business_date", "kind", "key", name=op.f("uq_reconciliation_difference_business_date_kind_key")
        ),
    )
    op.create_index(
        "ix_reconciliation_difference_clearing_no", "reconciliation_difference", ["clearing_no"], unique=False
    )
    op.create_index(
        op.f("ix_reconciliation_difference_hospital_id"), "reconciliation_difference", ["hospital_id"], unique=False
    )
    op.create_index(
        op.f("ix_reconciliation_difference_insurer_id"), "reconciliation_difference", ["insurer_id"], unique=False
    )
    op.create_index(
        "ix_reconciliation_difference_last_run", "reconciliation_difference", ["last_run_id", "id"], unique=False
    )
    op.create_index(op.f("ix_reconciliation_difference_status"), "reconciliation_difference", ["status"], unique=False)
    op.create_table(
        "reconciliation_part",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("row_count", sa.Integer(), nullable=False),
        sa.Column("packed", sa.LargeBinary(), nullable=False),
        sa.Column("outcome", sa.LargeBinary(), nullable=True),
        sa.Column("compared_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["reconciliation_run.id"], name=op.f("fk_reconciliation_part_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reconciliation_part")),
        sa.UniqueConstraint("run_id", "name", name=op.f("uq_reconciliation_part_run_id_name")),
    )
    op.create_table(
        "reconciliation_party_ledger",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("party_id", sa.Uuid(), nullable=True),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("command_id", sa.Uuid(), nullable=True),
        sa.Column("asked_totals", sa.Boolean(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=True),
        sa.Column("batch_nos", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("declared_count", sa.Integer(), nullable=True),
        sa.Column("declared_fen", sa.BigInteger(), nullable=True),
        sa.Column("sha256", sa.Text(), nullable=True),
        sa.Column("bad_at_source", sa.Integer(), nullable=False),
        sa.Column("row_count", sa.Integer(), nullable=True),
        sa.Column("bad_count", sa.Integer(), nullable=True),
        sa.Column("readable_fen", sa.BigInteger(), nullable=True),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("blocked_code", sa.Text(), nullable=True),
        sa.Column("packed", sa.LargeBinary(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column(
            "status_since",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "role IN ('hospital', 'platform', 'insurer', 'trade', 'basic', 'operation', 'bank')",
            name=op.f("ck_reconciliation_party_ledger_role"),
        ),
        sa.ForeignKeyConstraint(["partner_id"], ["partner.id"], name=op.f("fk_reconciliation_party_ledger_partner_id")),
        sa.ForeignKeyConstraint(["party_id"], ["party.id"], name=op.f("fk_reconciliation_party_ledger_party_id")),
        sa.ForeignKeyConstraint(
            ["run_id"], ["reconciliation_run.id"], name=op.f("fk_reconciliation_party_ledger_run_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reconciliation_party_ledger")),
        sa.UniqueConstraint(
            "run_id",
            "party_id",
            "role",
            name=op.f("uq_reconciliation_party_ledger_run_id_party_id_role"),
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_index(
        op.f("ix_reconciliation_party_ledger_command_id"), "reconciliation_party_ledger", ["command_id"], unique=False
    )
    op.create_index(
        "ix_reconciliation_party_ledger_party", "reconciliation_party_ledger", ["party_id", "id"], unique=False
    )
    op.create_index(
        op.f("ix_reconciliation_party_ledger_status"), "reconciliation_party_ledger", ["status"], unique=False
    )
    op.create_table(
        "reconciliation_report",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("party_id", sa.Uuid(), nullable=True),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("mails", sa.Integer(), nullable=False),
        sa.Column("texts", sa.Integer(), nullable=False),
        sa.Column(
            "made_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["party_id"], ["party.id"], name=op.f("fk_reconciliation_report_party_id")),
        sa.ForeignKeyConstraint(["run_id"], ["reconciliation_run.id"], name=op.f("fk_reconciliation_report_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reconciliation_report")),
        sa.UniqueConstraint(
            "business_date",
            "party_id",
            "digest",
            name=op.f("uq_reconciliation_report_business_date_party_id_digest"),
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_table(
        "reconciliation_statement",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("overall", sa.Boolean(), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=True),
        sa.Column("insurer_id", sa.Uuid(), nullable=True),
        sa.Column("amount_differs", sa.Integer(), nullable=False),
        sa.Column("status_differs", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["hospital_id"], ["party.id"], name=op.f("fk_reconciliation_statement_hospital_id")),
        sa.ForeignKeyConstraint(["insurer_id"], ["party.id"], name=op.f("fk_reconciliation_statement_insurer_id")),
        sa.ForeignKeyConstraint(["run_id"], ["reconciliation_run.id"], name=op.f("fk_reconciliation_statement_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reconciliation_statement")),
        sa.UniqueConstraint(
            "run_id",
            "overall",
            "hospital_id",
            "insurer_id",
            name=op.f("uq_reconciliation_statement_run_id_overall_hospital_id_insurer_id"),
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_table(
        "report",
        sa.Column("visit_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("summary_sealed", sa.Text(), nullable=False),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column(
            "received_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["hospital_id"], ["party.id"], name=op.f("fk_report_hospital_id")),
        sa.ForeignKeyConstraint(["visit_id"], ["visit.id"], name=op.f("fk_report_visit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report")),
        sa.UniqueConstraint("hospital_id", "key", name=op.f("uq_report_hospital_id_key")),
    )
    op.create_index(op.f("ix_report_visit_id"), "report", ["visit_id"], unique=False)
    op.create_table(
        "appointment",
        sa.Column("no", sa.Text(), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.Column("slot_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("self_pay", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("fee_fen", sa.BigInteger(), nullable=False),
        sa.Column("payment_order_id", sa.Uuid(), nullable=True),
        sa.Column("pay_by", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("command_id", sa.Uuid(), nullable=True),
        sa.Column("asked_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("arrival_no", sa.BigInteger(), nullable=True),
        sa.Column("refused_code", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column(
            "status_since",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_appointment_account_id")),
        sa.ForeignKeyConstraint(["hospital_id"], ["party.id"], name=op.f("fk_appointment_hospital_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_appointment_person_id")),
        sa.ForeignKeyConstraint(["slot_id"], ["slot.id"], name=op.f("fk_appointment_slot_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appointment")),
        sa.UniqueConstraint("no", name=op.f("uq_appointment_no")),
    )
    op.create_index(op.f("ix_appointment_account_id"), "appointment", ["account_id"], unique=False)
    op.create_index(op.f("ix_appointment_hospital_id"), "appointment", ["hospital_id"], unique=False)
    op.create_index(op.f("ix_appointment_person_id"), "appointment", ["person_id"], unique=False)
    op.create_index(op.f("ix_appointment_slot_id"), "appointment", ["slot_id"], unique=False)
    op.create_index(op.f("ix_appointment_status"), "appointment", ["status"], unique=False)
    op.create_index(
        "uq_appointment_arrival",
        "appointment",
        ["hospital_id", "arrival_no"],
        unique=True,
        postgresql_where=sa.text("arrival_no IS NOT NULL"),
    )
    op.create_index(
        "uq_appointment_live",
        "appointment",
        ["person_id", "slot_id"],
        unique=True,
        postgresql_where=sa.text("status IN ('pending', 'booked')"),
    )
    op.create_table(
        "binding",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("relation", sa.Text(), nullable=False),
        sa.Column("seat", sa.Integer(), nullable=False),
        sa.Column("document_index", sa.Text(), nullable=False),
        sa.Column("name_mask", sa.Text(), nullable=False),
        sa.Column("claim_sealed", sa.Text(), nullable=True),
        sa.Column("child", sa.Boolean(), nullable=False),
        sa.Column("guardian_id", sa.Uuid(), nullable=True),
        sa.Column("guardian_proof_sealed", sa.Text(), nullable=True),
        sa.Column("command_id", sa.Uuid(), nullable=True),
        sa.Column("consented_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("times_asked", sa.Integer(), server_default="0", nullable=False),
        sa.Column("refused_code", sa.Text(), nullable=True),
        sa.Column(
            "created_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column(
            "status_since",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "NOT child OR (guardian_id IS NOT NULL AND relation IN ('child', 'other'))",
            name=op.f("ck_binding_guardian"),
        ),
        sa.CheckConstraint(
            "relation IN ('self', 'child', 'parent', 'spouse', 'other')", name=op.f("ck_binding_relation")
        ),
        sa.CheckConstraint("status <> 'live' OR person_id IS NOT NULL", name=op.f("ck_binding_live_has_person")),
        sa.CheckConstraint("seat BETWEEN 1 AND 5", name=op.f("ck_binding_seat")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_binding_account_id")),
        sa.ForeignKeyConstraint(["guardian_id"], ["person.id"], name=op.f("fk_binding_guardian_id")),
        sa.ForeignKeyConstraint(["hospital_id"], ["party.id"], name=op.f("fk_binding_hospital_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_binding_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_binding")),
    )
    op.create_index(op.f("ix_binding_account_id"), "binding", ["account_id"], unique=False)
    op.create_index(
        "ix_binding_pending", "binding", ["expires_at"], unique=False, postgresql_where=sa.text("status = 'pending'")
    )
    op.create_index(
        "ix_binding_person", "binding", ["person_id"], unique=False, postgresql_where=sa.text("status = 'live'")
    )
    op.create_index(op.f("ix_binding_status"), "binding", ["status"], unique=False)
    op.create_index(
        "uq_binding_document",
        "binding",
        ["account_id", "document_index"],
        unique=True,
        postgresql_where=sa.text("status IN ('pending', 'live')"),
    )
    op.create_index(
        "uq_binding_seat",
        "binding",
        ["account_id", "seat"],
        unique=True,
        postgresql_where=sa.text("status IN ('pending', 'live')"),
    )
    op.create_index(
        "uq_binding_self",
        "binding",
        ["account_id"],
        unique=True,
        postgresql_where=sa.text("relation = 'self' AND status IN ('pending', 'live')"),
    )
    op.create_table(
        "consent",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("guardian_id", sa.Uuid(), nullable=True),
        sa.Column("recipient_id", sa.Uuid(), nullable=False),
        sa.Column("recipient_name", sa.Text(), nullable=False),
        sa.Column("recipient_contact", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("data_class", sa.Text(), nullable=False),
        sa.Column("scope", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("wording", sa.Text(), nullable=False),
        sa.Column("given_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("withdrawn_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column(
            "status_since",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("data_class IN ('general', 'health')", name=op.f("ck_consent_data_class")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_consent_account_id")),
        sa.ForeignKeyConstraint(["guardian_id"], ["person.id"], name=op.f("fk_consent_guardian_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_consent_person_id")),
        sa.ForeignKeyConstraint(["recipient_id"], ["party.id"], name=op.f("fk_consent_recipient_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent")),
    )
    op.create_index(op.f("ix_consent_person_id"), "consent", ["person_id"], unique=False)
    op.create_index(op.f("ix_consent_status"), "consent", ["status"], unique=False)
    op.create_index(
        "uq_consent_in_force",
        "consent",
        ["person_id", "recipient_id", "purpose", "data_class"],
        unique=True,
        postgresql_where=sa.text("status = 'in_force'"),
    )
    op.create_table(
        "e_bill",
        sa.Column("bill_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("check_code", sa.Text(), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=True),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column(
            "received_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("check_field", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["bill_id"], ["bill.id"], name=op.f("fk_e_bill_bill_id")),
        sa.ForeignKeyConstraint(["hospital_id"], ["party.id"], name=op.f("fk_e_bill_hospital_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_e_bill")),
        sa.UniqueConstraint("code", "number", "hospital_id", name=op.f("uq_e_bill_code_number_hospital_id")),
        sa.UniqueConstraint("hospital_id", "key", name=op.f("uq_e_bill_hospital_id_key")),
    )
    op.create_index(op.f("ix_e_bill_bill_id"), "e_bill", ["bill_id"], unique=False)
    op.create_table(
        "fee_line",
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.Column("bill_id", sa.Uuid(), nullable=False),
        sa.Column("line_no", sa.Integer(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("insurance_code", sa.Text(), nullable=True),
        sa.Column("unit_price", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("quantity", sa.Numeric(precision=18, scale=4), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("insurance_class", sa.Text(), nullable=True),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column(
            "received_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("code_system", sa.Text(), nullable=False),
        sa.Column("code_edition", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("check_field", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["bill_id"], ["bill.id"], name=op.f("fk_fee_line_bill_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fee_line")),
        sa.UniqueConstraint("hospital_id", "key", name=op.f("uq_fee_line_hospital_id_key")),
    )
    op.create_index("ix_fee_line_bill", "fee_line", ["bill_id", "line_no"], unique=False)
    op.create_table(
        "login_session",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column(
            "created_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("revoked_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("revoked_why", sa.Text(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_login_session_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_session")),
    )
    op.create_index(op.f("ix_login_session_account_id"), "login_session", ["account_id"], unique=False)
    op.create_index(op.f("ix_login_session_expires_at"), "login_session", ["expires_at"], unique=False)
    op.create_index(op.f("ix_login_session_revoked_at"), "login_session", ["revoked_at"], unique=False)
    op.create_table(
        "notice",
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("template", sa.Text(), nullable=False),
        sa.Column("subject", sa.Uuid(), nullable=True),
        sa.Column("dedupe", sa.Text(), nullable=False),
        sa.Column("content_sealed", sa.Text(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("provider_no", sa.Text(), nullable=True),
        sa.Column("refused_code", sa.Text(), nullable=True),
        sa.Column(
            "status_since",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("channel <> 'wechat' OR account_id IS NOT NULL", name=op.f("ck_notice_recipient")),
        sa.CheckConstraint("channel IN ('wechat', 'sms', 'mail')", name=op.f("ck_notice_channel")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_notice_account_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_notice_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
        sa.UniqueConstraint("dedupe", name=op.f("uq_notice_dedupe")),
    )
    op.create_index("ix_notice_account", "notice", ["account_id", "id"], unique=False)
    op.create_index(
        "ix_notice_provider_no",
        "notice",
        ["provider_no"],
        unique=False,
        postgresql_where=sa.text("provider_no IS NOT NULL"),
    )
    op.create_table(
        "payment_order",
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("subject", sa.Uuid(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("out_trade_no", sa.Text(), nullable=False),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("prepay_id", sa.Text(), nullable=True),
        sa.Column("transaction_id", sa.Text(), nullable=True),
        sa.Column("paid_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("refused_code", sa.Text(), nullable=True),
        sa.Column("booked_on", sa.Date(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column(
            "status_since",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("check_field", sa.Text(), nullable=False),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_payment_order_amount")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_payment_order_account_id")),
        sa.ForeignKeyConstraint(["hospital_id"], ["party.id"], name=op.f("fk_payment_order_hospital_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_order")),
        sa.UniqueConstraint("out_trade_no", name=op.f("uq_payment_order_out_trade_no")),
    )
    op.create_index(op.f("ix_payment_order_account_id"), "payment_order", ["account_id"], unique=False)
    op.create_index(op.f("ix_payment_order_booked_on"), "payment_order", ["booked_on"], unique=False)
    op.create_index(op.f("ix_payment_order_status"), "payment_order", ["status"], unique=False)
    op.create_index(
        "uq_payment_order_open",
        "payment_order",
        ["purpose", "subject"],
        unique=True,
        postgresql_where=sa.text("status IN ('created', 'prepaid', 'paid')"),
    )
    op.create_table(
        "policy_question",
        sa.Column("insurer_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("asked_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("answered_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_policy_question_account_id")),
        sa.ForeignKeyConstraint(["insurer_id"], ["party.id"], name=op.f("fk_policy_question_insurer_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_policy_question_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_question")),
        sa.UniqueConstraint("insurer_id", "person_id", name=op.f("uq_policy_question_insurer_id_person_id")),
    )
    op.create_index(op.f("ix_policy_question_person_id"), "policy_question", ["person_id"], unique=False)
    op.create_table(
        "reconciliation_ledger_batch",
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("batch_no", sa.BigInteger(), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("row_count", sa.Integer(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("packed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["batch.id"], name=op.f("fk_reconciliation_ledger_batch_batch_id")),
        sa.ForeignKeyConstraint(["partner_id"], ["partner.id"], name=op.f("fk_reconciliation_ledger_batch_partner_id")),
        sa.PrimaryKeyConstraint("batch_id", name=op.f("pk_reconciliation_ledger_batch")),
        sa.UniqueConstraint("partner_id", "batch_no", name=op.f("uq_reconciliation_ledger_batch_partner_id_batch_no")),
    )
    op.create_table(
        "reconciliation_set_count",
        sa.Column("statement_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.CheckConstraint("name ~ '^[01]{3}$' AND name <> '000'", name=op.f("ck_reconciliation_set_count_set")),
        sa.ForeignKeyConstraint(
            ["statement_id"], ["reconciliation_statement.id"], name=op.f("fk_reconciliation_set_count_statement_id")
        ),
        sa.PrimaryKeyConstraint("statement_id", "name", name=op.f("pk_reconciliation_set_count")),
    )
    op.create_table(
        "reconciliation_total",
        sa.Column("statement_id", sa.Uuid(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("success_count", sa.Integer(), nullable=False),
        sa.Column("success_amount_fen", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("success_count BETWEEN 0 AND count", name=op.f("ck_reconciliation_total_count")),
        sa.ForeignKeyConstraint(
            ["statement_id"], ["reconciliation_statement.id"], name=op.f("fk_reconciliation_total_statement_id")
        ),
        sa.PrimaryKeyConstraint("statement_id", "scope", name=op.f("pk_reconciliation_total")),
    )
    op.create_table(
        "refused_row",
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("party_id", sa.Uuid(), nullable=False),
        sa.Column("mended_by", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["batch_id"], ["batch.id"], name=op.f("fk_refused_row_batch_id")),
        sa.ForeignKeyConstraint(["mended_by"], ["batch.id"], name=op.f("fk_refused_row_mended_by")),
        sa.ForeignKeyConstraint(["party_id"], ["party.id"], name=op.f("fk_refused_row_party_id")),
        sa.PrimaryKeyConstraint("batch_id", "type", "key", name=op.f("pk_refused_row")),
    )
    op.create_index(
        "ix_refused_row_mended",
        "refused_row",
        ["party_id"],
        unique=False,
        postgresql_where=sa.text("mended_by IS NOT NULL"),
    )
    op.create_index(
        "ix_refused_row_open",
        "refused_row",
        ["party_id", "type", "key"],
        unique=False,
        postgresql_where=sa.text("mended_by IS NULL"),
    )
    op.create_table(
        "registration",
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.Column("line_no", sa.BigInteger(), nullable=False),
        sa.Column("no", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("appointment_id", sa.Uuid(), nullable=False),
        sa.Column("appointment_no", sa.Text(), nullable=False),
        sa.Column("self_pay", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("command_id", sa.Uuid(), nullable=True),
        sa.Column("asked_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("left_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("failed_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("not_before", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("last_code", sa.Text(), nullable=True),
        sa.Column("refused_code", sa.Text(), nullable=True),
        sa.Column(
            "status_since",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(left_at IS NULL) = (status IN ('queued', 'registering'))", name=op.f("ck_registration_left")
        ),
        sa.CheckConstraint("(refused_code IS NULL) = (status <> 'failed')", name=op.f("ck_registration_refused")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_registration_account_id")),
        sa.ForeignKeyConstraint(["hospital_id"], ["party.id"], name=op.f("fk_registration_hospital_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_registration_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registration")),
        sa.UniqueConstraint("hospital_id", "line_no", name=op.f("uq_registration_hospital_id_line_no")),
        sa.UniqueConstraint("no", name=op.f("uq_registration_no")),
        postgresql_with={"fillfactor": 40},
    )
    op.create_index(
        "ix_registration_left",
        "registration",
        ["hospital_id", "left_at"],
        unique=False,
        postgresql_where=sa.text("left_at IS NOT NULL"),
    )
    op.create_index(op.f("ix_registration_person_id"), "registration", ["person_id"], unique=False)
    op.create_index(
        "ix_registration_resting",
        "registration",
        ["hospital_id", "not_before"],
        unique=False,
        postgresql_where=sa.text("left_at IS NULL AND not_before IS NOT NULL"),
    )
    op.create_index(
        "ix_registration_waiting",
        "registration",
        ["hospital_id", "line_no"],
        unique=False,
        postgresql_where=sa.text("left_at IS NULL"),
    )
    op.create_index(
        "uq_registration_live",
        "registration",
        ["hospital_id", "person_id"],
        unique=True,
        postgresql_where=sa.text("refused_code IS NULL"),
    )
    op.create_table(
        "settlement",
        sa.Column("no", sa.Text(), nullable=False),
        sa.Column("interface_id", sa.Uuid(), nullable=False),
        sa.Column("line_no", sa.BigInteger(), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.Column("bill_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("throttled", sa.Boolean(), nullable=False),
        sa.Column("trial_no", sa.Text(), nullable=False),
        sa.Column("trial_command_id", sa.Uuid(), nullable=True),
        sa.Column("promised_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("told_later", sa.Integer(), nullable=False),
        sa.Column("valid_until", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("bill_content", sa.Text(), nullable=True),
        sa.Column("total_fen", sa.BigInteger(), nullable=False),
        sa.Column("fund_fen", sa.BigInteger(), nullable=True),
        sa.Column("account_fen", sa.BigInteger(), nullable=True),
        sa.Column("self_pay_fen", sa.BigInteger(), nullable=True),
        sa.Column("insurance_part", sa.Text(), nullable=False),
        sa.Column("self_pay_part", sa.Text(), nullable=False),
        sa.Column("setl_id", sa.Text(), nullable=True),
        sa.Column("payment_order_id", sa.Uuid(), nullable=True),
        sa.Column("paid_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("hospital_told", sa.Boolean(), nullable=False),
        sa.Column("network_told", sa.Boolean(), nullable=False),
        sa.Column("reversal_told", sa.Boolean(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("doubts", sa.Integer(), nullable=False),
        sa.Column("refused_code", sa.Text(), nullable=True),
        sa.Column("refused_message", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column(
            "status_since",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("check_field", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "fund_fen >= 0 AND account_fen >= 0 AND self_pay_fen >= 0",
            name=op.f("ck_settlement_nobody_pays_less_than_nothing"),
        ),
        sa.CheckConstraint(
            "fund_fen IS NULL OR fund_fen + account_fen + self_pay_fen = total_fen", name=op.f("ck_settlement_adds_up")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_settlement_account_id")),
        sa.ForeignKeyConstraint(["bill_id"], ["bill.id"], name=op.f("fk_settlement_bill_id")),
        sa.ForeignKeyConstraint(["hospital_id"], ["party.id"], name=op.f("fk_settlement_hospital_id")),
        sa.ForeignKeyConstraint(["interface_id"], ["party.id"], name=op.f("fk_settlement_interface_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_settlement_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_settlement")),
        sa.UniqueConstraint("interface_id", "line_no", name=op.f("uq_settlement_interface_id_line_no")),
        sa.UniqueConstraint("no", name=op.f("uq_settlement_no")),
    )
    op.create_index(op.f("ix_settlement_account_id"), "settlement", ["account_id"], unique=False)
    op.create_index(
        "ix_settlement_line",
        "settlement",
        ["interface_id", "hospital_id", "line_no"],
        unique=False,
        postgresql_where=sa.text("status IN ('trial_waiting', 'trialling')"),
    )
    op.create_index(op.f("ix_settlement_person_id"), "settlement", ["person_id"], unique=False)
    op.create_index(op.f("ix_settlement_status"), "settlement", ["status"], unique=False)
    op.create_index(
        "uq_settlement_live",
        "settlement",
        ["bill_id"],
        unique=True,
        postgresql_where=sa.text("status NOT IN ('failed', 'reversed')"),
    )
    op.create_index(
        "uq_settlement_place",
        "settlement",
        ["interface_id", "person_id"],
        unique=True,
        postgresql_where=sa.text("status IN ('created', 'trial_waiting', 'trialling')"),
    )
    op.create_table(
        "sms_code",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.Column("phone_index", sa.Text(), nullable=False),
        sa.Column("phone_sealed", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("account_place", sa.Integer(), nullable=False),
        sa.Column("phone_place", sa.Integer(), nullable=False),
        sa.Column("code_hash", sa.Text(), nullable=True),
        sa.Column("wanted_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("used_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("account_place BETWEEN 1 AND 10", name=op.f("ck_sms_code_account_place")),
        sa.CheckConstraint("phone_place BETWEEN 1 AND 10", name=op.f("ck_sms_code_phone_place")),
        sa.CheckConstraint("used_at IS NULL OR tries <= 5", name=op.f("ck_sms_code_used_in_time")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_sms_code_account_id")),
        sa.ForeignKeyConstraint(["hospital_id"], ["party.id"], name=op.f("fk_sms_code_hospital_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sms_code")),
        sa.UniqueConstraint(
            "account_id", "day", "account_place", name=op.f("uq_sms_code_account_id_day_account_place")
        ),
        sa.UniqueConstraint("phone_index", "day", "phone_place", name=op.f("uq_sms_code_phone_index_day_phone_place")),
    )
    op.create_index(op.f("ix_sms_code_day"), "sms_code", ["day"], unique=False)
    op.create_table(
        "claim",
        sa.Column("no", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.Column("insurer_id", sa.Uuid(), nullable=False),
        sa.Column("policy_no", sa.Text(), nullable=True),
        sa.Column("case_no", sa.Text(), nullable=True),
        sa.Column("consent_id", sa.Uuid(), nullable=False),
        sa.Column("health_consent_id", sa.Uuid(), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column(
            "submitted_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("payee_kind", sa.Text(), nullable=False),
        sa.Column("payee_relation", sa.Text(), nullable=False),
        sa.Column("payee_name_sealed", sa.Text(), nullable=False),
        sa.Column("payee_account_sealed", sa.Text(), nullable=True),
        sa.Column("asked_fen", sa.BigInteger(), nullable=False),
        sa.Column("approved_fen", sa.BigInteger(), nullable=True),
        sa.Column("paid_fen", sa.BigInteger(), nullable=False),
        sa.Column("accept_by", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("clock_paused_since", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("reasons", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("waiting", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column(
            "status_since",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "holder IN ('patient', 'hospital', 'platform', 'insurer', 'nobody')", name=op.f("ck_claim_holder")
        ),
        sa.CheckConstraint("payee_kind IN ('wechat', 'bank')", name=op.f("ck_claim_payee_kind")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_claim_account_id")),
        sa.ForeignKeyConstraint(["consent_id"], ["consent.id"], name=op.f("fk_claim_consent_id")),
        sa.ForeignKeyConstraint(["health_consent_id"], ["consent.id"], name=op.f("fk_claim_health_consent_id")),
        sa.ForeignKeyConstraint(["hospital_id"], ["party.id"], name=op.f("fk_claim_hospital_id")),
        sa.ForeignKeyConstraint(["insurer_id"], ["party.id"], name=op.f("fk_claim_insurer_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_claim_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claim")),
        sa.UniqueConstraint("no", name=op.f("uq_claim_no")),
    )
    op.create_index(op.f("ix_claim_account_id"), "claim", ["account_id"], unique=False)
    op.create_index(op.f("ix_claim_case_no"), "claim", ["case_no"], unique=False)
    op.create_index(op.f("ix_claim_insurer_id"), "claim", ["insurer_id"], unique=False)
    op.create_index(op.f("ix_claim_person_id"), "claim", ["person_id"], unique=False)
    op.create_index(op.f("ix_claim_status"), "claim", ["status"], unique=False)
    op.create_table(
        "consent_receipt",
        sa.Column("consent_id", sa.Uuid(), nullable=False),
        sa.Column("occasion", sa.Text(), nullable=False),
        sa.Column("what", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("about_no", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column(
            "shared_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["consent_id"], ["consent.id"], name=op.f("fk_consent_receipt_consent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_receipt")),
        sa.UniqueConstraint("consent_id", "subject_id", "occasion", "reference", name="once"),
    )
    op.create_table(
        "refund",
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("out_refund_no", sa.Text(), nullable=False),
        sa.Column("refund_id", sa.Text(), nullable=True),
        sa.Column("booked_on", sa.Date(), nullable=True),
        sa.Column("refused_code", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column(
            "status_since",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("check_field", sa.Text(), nullable=False),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_refund_amount")),
        sa.ForeignKeyConstraint(["order_id"], ["payment_order.id"], name=op.f("fk_refund_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refund")),
        sa.UniqueConstraint("order_id", name=op.f("uq_refund_order_id")),
        sa.UniqueConstraint("out_refund_no", name=op.f("uq_refund_out_refund_no")),
    )
    op.create_index(op.f("ix_refund_booked_on"), "refund", ["booked_on"], unique=False)
    op.create_index(op.f("ix_refund_status"), "refund", ["status"], unique=False)
    op.create_table(
        "settlement_ruling",
        sa.Column("settlement_id", sa.Uuid(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("setl_id", sa.Text(), nullable=True),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.Uuid(), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column(
            "status_since",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("(outcome = 'settled') = (setl_id IS NOT NULL)", name=op.f("ck_settlement_ruling_setl_id")),
        sa.CheckConstraint(
            "decided_by <> proposed_by OR status = 'declined'", name=op.f("ck_settlement_ruling_two_people")
        ),
        sa.CheckConstraint("outcome IN ('settled', 'not_settled')", name=op.f("ck_settlement_ruling_outcome")),
        sa.ForeignKeyConstraint(["decided_by"], ["operator.id"], name=op.f("fk_settlement_ruling_decided_by")),
        sa.ForeignKeyConstraint(["proposed_by"], ["operator.id"], name=op.f("fk_settlement_ruling_proposed_by")),
        sa.ForeignKeyConstraint(["settlement_id"], ["settlement.id"], name=op.f("fk_settlement_ruling_settlement_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_settlement_ruling")),
    )
    op.create_index(op.f("ix_settlement_ruling_settlement_id"), "settlement_ruling", ["settlement_id"], unique=False)
    op.create_index(op.f("ix_settlement_ruling_status"), "settlement_ruling", ["status"], unique=False)
    op.create_index(
        "uq_settlement_ruling_open",
        "settlement_ruling",
        ["settlement_id"],
        unique=True,
        postgresql_where=sa.text("status = 'proposed'"),
    )
    op.create_table(
        "waiting_entry",
        sa.Column("line_no", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("slot_id", sa.Uuid(), nullable=True),
        sa.Column("doctor_code", sa.Text(), nullable=True),
        sa.Column("day", sa.Date(), nullable=True),
        sa.Column("self_pay", sa.Boolean(), nullable=False),
        sa.Column("offered_slot_id", sa.Uuid(), nullable=True),
        sa.Column("offer_until", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("appointment_id", sa.Uuid(), nullable=True),
        sa.Column("why", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column(
            "status_since",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("(status = 'taken') = (appointment_id IS NOT NULL)", name=op.f("ck_waiting_entry_taken")),
        sa.CheckConstraint(
            "status <> 'offered' OR num_nulls(offered_slot_id, offer_until) = 0", name=op.f("ck_waiting_entry_offer")
        ),
        sa.CheckConstraint(
            "num_nonnulls(slot_id, doctor_code) = 1 AND (doctor_code IS NULL) = (day IS NULL)",
            name=op.f("ck_waiting_entry_for"),
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_waiting_entry_account_id")),
        sa.ForeignKeyConstraint(["appointment_id"], ["appointment.id"], name=op.f("fk_waiting_entry_appointment_id")),
        sa.ForeignKeyConstraint(["hospital_id"], ["party.id"], name=op.f("fk_waiting_entry_hospital_id")),
        sa.ForeignKeyConstraint(["offered_slot_id"], ["slot.id"], name=op.f("fk_waiting_entry_offered_slot_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_waiting_entry_person_id")),
        sa.ForeignKeyConstraint(["slot_id"], ["slot.id"], name=op.f("fk_waiting_entry_slot_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_waiting_entry")),
        sa.UniqueConstraint("appointment_id", name=op.f("uq_waiting_entry_appointment_id")),
        sa.UniqueConstraint("line_no", name=op.f("uq_waiting_entry_line_no")),
    )
    op.create_index(op.f("ix_waiting_entry_account_id"), "waiting_entry", ["account_id"], unique=False)
    op.create_index(
        "ix_waiting_entry_day_line",
        "waiting_entry",
        ["hospital_id", "doctor_code", "day", "line_no"],
        unique=False,
        postgresql_where=sa.text("status = 'waiting'"),
    )
    op.create_index(
        "ix_waiting_entry_offered",
        "waiting_entry",
        ["offered_slot_id"],
        unique=False,
        postgresql_where=sa.text("status = 'offered'"),
    )
    op.create_index(
        "ix_waiting_entry_slot_line",
        "waiting_entry",
        ["slot_id", "line_no"],
        unique=False,
        postgresql_where=sa.text("status = 'waiting'"),
    )
    op.create_index(op.f("ix_waiting_entry_status"), "waiting_entry", ["status"], unique=False)
    op.create_index(
        "uq_waiting_entry_day",
        "waiting_entry",
        ["person_id", "hospital_id", "doctor_code", "day"],
        unique=True,
        postgresql_where=sa.text("status IN ('waiting', 'offered')"),
    )
    op.create_index(
        "uq_waiting_entry_offer",
        "waiting_entry",
        ["person_id", "offered_slot_id"],
        unique=True,
        postgresql_where=sa.text("status = 'offered'"),
    )
    op.create_index(
        "uq_waiting_entry_slot",
        "waiting_entry",
        ["person_id", "slot_id"],
        unique=True,
        postgresql_where=sa.text("status IN ('waiting', 'offered')"),
    )
    op.create_table(
        "appeal",
        sa.Column("claim_id", sa.Uuid(), nullable=False),
        sa.Column("lines", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("decided_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["claim_id"], ["claim.id"], name=op.f("fk_appeal_claim_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appeal")),
        sa.UniqueConstraint("claim_id", name=op.f("uq_appeal_claim_id")),
    )
    op.create_table(
        "claim_bill",
        sa.Column("clearing_no", sa.Text(), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("ordinal", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("original_clearing_no", sa.Text(), nullable=True),
        sa.Column("claim_id", sa.Uuid(), nullable=False),
        sa.Column("bill_id", sa.Uuid(), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.Column("insurer_id", sa.Uuid(), nullable=False),
        sa.Column("borne_fen", sa.BigInteger(), nullable=False),
        sa.Column("approved_fen", sa.BigInteger(), nullable=True),
        sa.Column("lost_fen", sa.BigInteger(), nullable=False),
        sa.Column("payable_fen", sa.BigInteger(), nullable=False),
        sa.Column("shown_sha256", sa.Text(), nullable=True),
        sa.Column("paid_elsewhere_fen", sa.BigInteger(), nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.Column("booked_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("check_field", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "(kind = 'reverse') = (original_clearing_no IS NOT NULL)", name=op.f("ck_claim_bill_original")
        ),
        sa.CheckConstraint("kind IN ('pay', 'reverse')", name=op.f("ck_claim_bill_kind")),
        sa.CheckConstraint(
            "borne_fen >= 0 AND (approved_fen IS NULL OR approved_fen BETWEEN 0 AND borne_fen)",
            name=op.f("ck_claim_bill_amounts"),
        ),
        sa.CheckConstraint("lost_fen BETWEEN 0 AND coalesce(approved_fen, 0)", name=op.f("ck_claim_bill_lost")),
        sa.CheckConstraint("paid_elsewhere_fen >= 0", name=op.f("ck_claim_bill_paid_elsewhere")),
        sa.CheckConstraint(
            "payable_fen BETWEEN 0 AND coalesce(approved_fen, 0) - lost_fen", name=op.f("ck_claim_bill_payable")
        ),
        sa.ForeignKeyConstraint(["bill_id"], ["bill.id"], name=op.f("fk_claim_bill_bill_id")),
        sa.ForeignKeyConstraint(["claim_id"], ["claim.id"], name=op.f("fk_claim_bill_claim_id")),
        sa.ForeignKeyConstraint(["hospital_id"], ["party.id"], name=op.f("fk_claim_bill_hospital_id")),
        sa.ForeignKeyConstraint(["insurer_id"], ["party.id"], name=op.f("fk_claim_bill_insurer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claim_bill")),
        sa.UniqueConstraint("business_date", "ordinal", name=op.f("uq_claim_bill_business_date_ordinal")),
        sa.UniqueConstraint("clearing_no", name=op.f("uq_claim_bill_clearing_no")),
    )
    op.create_index(op.f("ix_claim_bill_bill_id"), "claim_bill", ["bill_id"], unique=False)
    op.create_index(op.f("ix_claim_bill_claim_id"), "claim_bill", ["claim_id"], unique=False)
    op.create_index(
        "uq_claim_bill_pay",
        "claim_bill",
        ["claim_id", "bill_id"],
        unique=True,
        postgresql_where=sa.text("kind = 'pay'"),
    )
    op.create_table(
        "claim_clock",
        sa.Column("claim_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("started_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("paused_s", sa.BigInteger(), nullable=False),
        sa.Column("due_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("late_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("ended_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("kind IN ('decision', 'prepay', 'payment', 'letter')", name=op.f("ck_claim_clock_kind")),
        sa.CheckConstraint("days > 0 AND paused_s >= 0", name=op.f("ck_claim_clock_lengths")),
        sa.ForeignKeyConstraint(["claim_id"], ["claim.id"], name=op.f("fk_claim_clock_claim_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claim_clock")),
    )
    op.create_index(op.f("ix_claim_clock_claim_id"), "claim_clock", ["claim_id"], unique=False)
    op.create_index(
        "ix_claim_clock_due",
        "claim_clock",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("ended_at IS NULL AND late_at IS NULL"),
    )
    op.create_index(
        "uq_claim_clock_running",
        "claim_clock",
        ["claim_id", "kind"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "decision",
        sa.Column("claim_id", sa.Uuid(), nullable=False),
        sa.Column("decision_no", sa.Text(), nullable=False),
        sa.Column("supersedes", sa.Text(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("approved_fen", sa.BigInteger(), nullable=False),
        sa.Column(
            "decided_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("check_field", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["claim_id"], ["claim.id"], name=op.f("fk_decision_claim_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decision")),
        sa.UniqueConstraint("claim_id", "decision_no", name=op.f("uq_decision_claim_id_decision_no")),
    )
    op.create_table(
        "document_request",
        sa.Column("claim_id", sa.Uuid(), nullable=False),
        sa.Column("request_no", sa.Text(), nullable=False),
        sa.Column("items", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("supervisor", sa.Text(), nullable=True),
        sa.Column("deadline", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("answered_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("(reason IS NULL) = (supervisor IS NULL)", name=op.f("ck_document_request_further")),
        sa.ForeignKeyConstraint(["claim_id"], ["claim.id"], name=op.f("fk_document_request_claim_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document_request")),
        sa.UniqueConstraint("claim_id", "request_no", name=op.f("uq_document_request_claim_id_request_no")),
    )
    op.create_table(
        "e_bill_guard",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("insurer_id", sa.Uuid(), nullable=False),
        sa.Column("policy_no", sa.Text(), nullable=False),
        sa.Column("check_code", sa.Text(), nullable=False),
        sa.Column("bill_id", sa.Uuid(), nullable=False),
        sa.Column("claim_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["bill_id"], ["bill.id"], name=op.f("fk_e_bill_guard_bill_id")),
        sa.ForeignKeyConstraint(["claim_id"], ["claim.id"], name=op.f("fk_e_bill_guard_claim_id")),
        sa.ForeignKeyConstraint(["insurer_id"], ["party.id"], name=op.f("fk_e_bill_guard_insurer_id")),
        sa.PrimaryKeyConstraint("code", "number", "insurer_id", "policy_no", name=op.f("pk_e_bill_guard")),
    )
    op.create_index(op.f("ix_e_bill_guard_claim_id"), "e_bill_guard", ["claim_id"], unique=False)
    op.create_table(
        "payout",
        sa.Column("claim_id", sa.Uuid(), nullable=False),
        sa.Column("claim_no", sa.Text(), nullable=False),
        sa.Column("insurer_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("out_no", sa.Text(), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("product_name", sa.Text(), nullable=False),
        sa.Column("product_filing_no", sa.Text(), nullable=False),
        sa.Column("payee_name_sealed", sa.Text(), nullable=False),
        sa.Column("payee_account_sealed", sa.Text(), nullable=True),
        sa.Column("held_for", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("approvals_needed", sa.Integer(), nullable=False),
        sa.Column("package_info", sa.Text(), nullable=True),
        sa.Column("provider_no", sa.Text(), nullable=True),
        sa.Column("failed_code", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column(
            "status_since",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("check_field", sa.Text(), nullable=False),
        sa.CheckConstraint("channel IN ('wechat', 'bank')", name=op.f("ck_payout_channel")),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_payout_amount")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_payout_account_id")),
        sa.ForeignKeyConstraint(["claim_id"], ["claim.id"], name=op.f("fk_payout_claim_id")),
        sa.ForeignKeyConstraint(["insurer_id"], ["party.id"], name=op.f("fk_payout_insurer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payout")),
        sa.UniqueConstraint("out_no", name=op.f("uq_payout_out_no")),
    )
    op.create_index(op.f("ix_payout_account_id"), "payout", ["account_id"], unique=False)
    op.create_index(op.f("ix_payout_claim_id"), "payout", ["claim_id"], unique=False)
    op.create_index(op.f("ix_payout_insurer_id"), "payout", ["insurer_id"], unique=False)
    op.create_index(op.f("ix_payout_status"), "payout", ["status"], unique=False)
    op.create_index(
        "uq_payout_open",
        "payout",
        ["claim_id"],
        unique=True,
        postgresql_where=sa.text(
            "status IN ('created', 'held', 'approved', 'sending', 'unknown', 'accepted', 'waiting_user_confirm', 'transferring')"
        ),
    )
    op.create_table(
        "recovery",
        sa.Column("claim_id", sa.Uuid(), nullable=False),
        sa.Column("bill_id", sa.Uuid(), nullable=False),
        sa.Column("insurer_id", sa.Uuid(), nullable=False),
        sa.Column("clearing_no", sa.Text(), nullable=False),
        sa.Column("recovery_no", sa.Text(), nullable=False),
        sa.Column("decision_no", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("lost_fen", sa.BigInteger(), nullable=False),
        sa.Column("share_fen", sa.BigInteger(), nullable=False),
        sa.Column("due_fen", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column(
            "status_since",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("check_field", sa.Text(), nullable=False),
        sa.CheckConstraint("reason <> 'bill_amended' OR lost_fen > 0", name=op.f("ck_recovery_amended")),
        sa.CheckConstraint(
            "reason IN ('bill_refunded', 'e_bill_reversed', 'bill_amended')", name=op.f("ck_recovery_reason")
        ),
        sa.CheckConstraint(
            "due_fen BETWEEN 0 AND share_fen AND share_fen <= lost_fen", name=op.f("ck_recovery_amounts")
        ),
        sa.ForeignKeyConstraint(["bill_id"], ["bill.id"], name=op.f("fk_recovery_bill_id")),
        sa.ForeignKeyConstraint(["claim_id"], ["claim.id"], name=op.f("fk_recovery_claim_id")),
        sa.ForeignKeyConstraint(["insurer_id"], ["party.id"], name=op.f("fk_recovery_insurer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery")),
        sa.UniqueConstraint("recovery_no", name=op.f("uq_recovery_recovery_no")),
    )
    op.create_index(op.f("ix_recovery_bill_id"), "recovery", ["bill_id"], unique=False)
    op.create_index(op.f("ix_recovery_claim_id"), "recovery", ["claim_id"], unique=False)
    op.create_index(op.f("ix_recovery_clearing_no"), "recovery", ["clearing_no"], unique=False)
    op.create_index(op.f("ix_recovery_insurer_id"), "recovery", ["insurer_id"], unique=False)
    op.create_index(op.f("ix_recovery_status"), "recovery", ["status"], unique=False)
    op.create_index(
        "uq_recovery_taken_back",
        "recovery",
        ["clearing_no"],
        unique=True,
        postgresql_where=sa.text("reason <> 'bill_amended'"),
    )
    op.create_table(
        "claim_document",
        sa.Column("claim_id", sa.Uuid(), nullable=False),
        sa.Column("request_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("content_sealed", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["claim_id"], ["claim.id"], name=op.f("fk_claim_document_claim_id")),
        sa.ForeignKeyConstraint(["request_id"], ["document_request.id"], name=op.f("fk_claim_document_request_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claim_document")),
    )
    op.create_index(op.f("ix_claim_document_claim_id"), "claim_document", ["claim_id"], unique=False)
    op.create_table(
        "claim_package",
        sa.Column("claim_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.Uuid(), nullable=True),
        sa.Column("root", sa.Text(), nullable=False),
        sa.Column("previous_root", sa.Text(), nullable=True),
        sa.Column("signature", sa.Text(), nullable=False),
        sa.Column("content_sealed", sa.Text(), nullable=False),
        sa.Column("sent_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("delivered_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(version = 1) = (previous_root IS NULL AND request_id IS NULL)", name=op.f("ck_claim_package_first")
        ),
        sa.ForeignKeyConstraint(["claim_id"], ["claim.id"], name=op.f("fk_claim_package_claim_id")),
        sa.ForeignKeyConstraint(["request_id"], ["document_request.id"], name=op.f("fk_claim_package_request_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claim_package")),
        sa.UniqueConstraint("claim_id", "version", name=op.f("uq_claim_package_claim_id_version")),
        sa.UniqueConstraint("request_id", name=op.f("uq_claim_package_request_id")),
    )
    op.create_table(
        "decision_line",
        sa.Column("decision_id", sa.Uuid(), nullable=False),
        sa.Column("clearing_no", sa.Text(), nullable=False),
        sa.Column("line_no", sa.Integer(), nullable=False),
        sa.Column("billed_fen", sa.BigInteger(), nullable=False),
        sa.Column("covered_fen", sa.BigInteger(), nullable=False),
        sa.Column("deductible_fen", sa.BigInteger(), nullable=False),
        sa.Column("ratio", sa.Numeric(precision=5, scale=4), nullable=False),
        sa.Column("cap_fen", sa.BigInteger(), nullable=False),
        sa.Column("approved_fen", sa.BigInteger(), nullable=False),
        sa.Column("reasons", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("check_field", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["decision_id"], ["decision.id"], name=op.f("fk_decision_line_decision_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decision_line")),
        sa.UniqueConstraint(
            "decision_id", "clearing_no", "line_no", name=op.f("uq_decision_line_decision_id_clearing_no_line_no")
        ),
    )
    op.create_table(
        "payout_approval",
        sa.Column("payout_id", sa.Uuid(), nullable=False),
        sa.Column("operator_id", sa.Uuid(), nullable=False),
        sa.Column(
            "approved_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(["operator_id"], ["operator.id"], name=op.f("fk_payout_approval_operator_id")),
        sa.ForeignKeyConstraint(["payout_id"], ["payout.id"], name=op.f("fk_payout_approval_payout_id")),
        sa.PrimaryKeyConstraint("payout_id", "operator_id", name=op.f("pk_payout_approval")),
    )
    op.create_table(
        "refusal_letter",
        sa.Column("claim_id", sa.Uuid(), nullable=False),
        sa.Column("decision_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("content_sealed", sa.Text(), nullable=False),
        sa.Column("issued_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["claim_id"], ["claim.id"], name=op.f("fk_refusal_letter_claim_id")),
        sa.ForeignKeyConstraint(["decision_id"], ["decision.id"], name=op.f("fk_refusal_letter_decision_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refusal_letter")),
        sa.UniqueConstraint("decision_id", name=op.f("uq_refusal_letter_decision_id")),
    )
    op.create_index(op.f("ix_refusal_letter_claim_id"), "refusal_letter", ["claim_id"], unique=False)
    op.execute(ADDS_UP)
    op.execute(ADDS_UP_TRIGGER)


def downgrade() -> None:
    op.drop_index(op.f("ix_refusal_letter_claim_id"), table_name="refusal_letter")
    op.drop_table("refusal_letter")
    op.drop_table("payout_approval")
    op.drop_table("decision_line")
    op.drop_table("claim_package")
    op.drop_index(op.f("ix_claim_document_claim_id"), table_name="claim_document")
    op.drop_table("claim_document")
    op.drop_index("uq_recovery_taken_back", table_name="recovery", postgresql_where=sa.text("reason <> 'bill_amended'"))
    op.drop_index(op.f("ix_recovery_status"), table_name="recovery")
    op.drop_index(op.f("ix_recovery_insurer_id"), table_name="recovery")
    op.drop_index(op.f("ix_recovery_clearing_no"), table_name="recovery")
    op.drop_index(op.f("ix_recovery_claim_id"), table_name="recovery")
    op.drop_index(op.f("ix_recovery_bill_id"), table_name="recovery")
    op.drop_table("recovery")
    op.drop_index(
        "uq_payout_open",
        table_name="payout",
        postgresql_where=sa.text(
            "status IN ('created', 'held', 'approved', 'sending', 'unknown', 'accepted', 'waiting_user_confirm', 'transferring')"
        ),
    )
    op.drop_index(op.f("ix_payout_status"), table_name="payout")
    op.drop_index(op.f("ix_payout_insurer_id"), table_name="payout")
    op.drop_index(op.f("ix_payout_claim_id"), table_name="payout")
    op.drop_index(op.f("ix_payout_account_id"), table_name="payout")
    op.drop_table("payout")
    op.drop_index(op.f("ix_e_bill_guard_claim_id"), table_name="e_bill_guard")
    op.drop_table("e_bill_guard")
    op.drop_table("document_request")
    op.drop_table("decision")
    op.drop_index("uq_claim_clock_running", table_name="claim_clock", postgresql_where=sa.text("ended_at IS NULL"))
    op.drop_index(
        "ix_claim_clock_due", table_name="claim_clock", postgresql_where=sa.text("ended_at IS NULL AND late_at IS NULL")
    )
    op.drop_index(op.f("ix_claim_clock_claim_id"), table_name="claim_clock")
    op.drop_table("claim_clock")
    op.drop_index("uq_claim_bill_pay", table_name="claim_bill", postgresql_where=sa.text("kind = 'pay'"))
    op.drop_index(op.f("ix_claim_bill_claim_id"), table_name="claim_bill")
    op.drop_index(op.f("ix_claim_bill_bill_id"), table_name="claim_bill")
    op.drop_table("claim_bill")
    op.drop_table("appeal")
    op.drop_index(
        "uq_waiting_entry_slot",
        table_name="waiting_entry",
        postgresql_where=sa.text("status IN ('waiting', 'offered')"),
    )
    op.drop_index("uq_waiting_entry_offer", table_name="waiting_entry", postgresql_where=sa.text("status = 'offered'"))
    op.drop_index(
        "uq_waiting_entry_day", table_name="waiting_entry", postgresql_where=sa.text("status IN ('waiting', 'offered')")
    )
    op.drop_index(op.f("ix_waiting_entry_status"), table_name="waiting_entry")
    op.drop_index(
        "ix_waiting_entry_slot_line", table_name="waiting_entry", postgresql_where=sa.text("status = 'waiting'")
    )
    op.drop_index(
        "ix_waiting_entry_offered", table_name="waiting_entry", postgresql_where=sa.text("status = 'offered'")
    )
    op.drop_index(
        "ix_waiting_entry_day_line", table_name="waiting_entry", postgresql_where=sa.text("status = 'waiting'")
    )
    op.drop_index(op.f("ix_waiting_entry_account_id"), table_name="waiting_entry")
    op.drop_table("waiting_entry")
    op.drop_index(
        "uq_settlement_ruling_open", table_name="settlement_ruling", postgresql_where=sa.text("status = 'proposed'")
    )
    op.drop_index(op.f("ix_settlement_ruling_status"), table_name="settlement_ruling")
    op.drop_index(op.f("ix_settlement_ruling_settlement_id"), table_name="settlement_ruling")
    op.drop_table("settlement_ruling")
    op.drop_index(op.f("ix_refund_status"), table_name="refund")
    op.drop_index(op.f("ix_refund_booked_on"), table_name="refund")
    op.drop_table("refund")
    op.drop_table("consent_receipt")
    op.drop_index(op.f("ix_claim_status"), table_name="claim")
    op.drop_index(op.f("ix_claim_person_id"), table_name="claim")
    op.drop_index(op.f("ix_claim_insurer_id"), table_name="claim")
    op.drop_index(op.f("ix_claim_case_no"), table_name="claim")
    op.drop_index(op.f("ix_claim_account_id"), table_name="claim")
    op.drop_table("claim")
    op.drop_index(op.f("ix_sms_code_day"), table_name="sms_code")
    op.drop_table("sms_code")
    op.drop_index(
        "uq_settlement_place",
        table_name="settlement",
        postgresql_where=sa.text("status IN ('created', 'trial_waiting', 'trialling')"),
    )
    op.drop_index(
        "uq_settlement_live", table_name="settlement", postgresql_where=sa.text("status NOT IN ('failed', 'reversed')")
    )
    op.drop_index(op.f("ix_settlement_status"), table_name="settlement")
    op.drop_index(op.f("ix_settlement_person_id"), table_name="settlement")
    op.drop_index(
        "ix_settlement_line",
        table_name="settlement",
        postgresql_where=sa.text("status IN ('trial_waiting', 'trialling')"),
    )
    op.drop_index(op.f("ix_settlement_account_id"), table_name="settlement")
    op.drop_table("settlement")
    op.drop_index("uq_registration_live", table_name="registration", postgresql_where=sa.text("refused_code IS NULL"))
    op.drop_index("ix_registration_waiting", table_name="registration", postgresql_where=sa.text("left_at IS NULL"))
    op.drop_index(
        "ix_registration_resting",
        table_name="registration",
        postgresql_where=sa.text("left_at IS NULL AND not_before IS NOT NULL"),
    )
    op.drop_index(op.f("ix_registration_person_id"), table_name="registration")
    op.drop_index("ix_registration_left", table_name="registration", postgresql_where=sa.text("left_at IS NOT NULL"))
    op.drop_table("registration")
    op.drop_index("ix_refused_row_open", table_name="refused_row", postgresql_where=sa.text("mended_by IS NULL"))
    op.drop_index("ix_refused_row_mended", table_name="refused_row", postgresql_where=sa.text("mended_by IS NOT NULL"))
    op.drop_table("refused_row")
    op.drop_table("reconciliation_total")
    op.drop_table("reconciliation_set_count")
    op.drop_table("reconciliation_ledger_batch")
    op.drop_index(op.f("ix_policy_question_person_id"), table_name="policy_question")
    op.drop_table("policy_question")
    op.drop_index(
        "uq_payment_order_open",
        table_name="payment_order",
        postgresql_where=sa.text("status IN ('created', 'prepaid', 'paid')"),
    )
    op.drop_index(op.f("ix_payment_order_status"), table_name="payment_order")
    op.drop_index(op.f("ix_payment_order_booked_on"), table_name="payment_order")
    op.drop_index(op.f("ix_payment_order_account_id"), table_name="payment_order")
    op.drop_table("payment_order")
    op.drop_index("ix_notice_provider_no", table_name="notice", postgresql_where=sa.text("provider_no IS NOT NULL"))
    op.drop_index("ix_notice_account", table_name="notice")
    op.drop_table("notice")
    op.drop_index(op.f("ix_login_session_revoked_at"), table_name="login_session")
    op.drop_index(op.f("ix_login_session_expires_at"), table_name="login_session")
    op.drop_index(op.f("ix_login_session_account_id"), table_name="login_session")
    op.drop_table("login_session")
    op.drop_index("ix_fee_line_bill", table_name="fee_line")
    op.drop_table("fee_line")
    op.drop_index(op.f("ix_e_bill_bill_id"), table_name="e_bill")
    op.drop_table("e_bill")
    op.drop_index("uq_consent_in_force", table_name="consent", postgresql_where=sa.text("status = 'in_force'"))
    op.drop_index(op.f("ix_consent_status"), table_name="consent")
    op.drop_index(op.f("ix_consent_person_id"), table_name="consent")
    op.drop_table("consent")
    op.drop_index(
        "uq_binding_self",
        table_name="binding",
        postgresql_where=sa.text("relation = 'self' AND status IN ('pending', 'live')"),
    )
    op.drop_index("uq_binding_seat", table_name="binding", postgresql_where=sa.text("status IN ('pending', 'live')"))
    op.drop_index(
        "uq_binding_document", table_name="binding", postgresql_where=sa.text("status IN ('pending', 'live')")
    )
    op.drop_index(op.f("ix_binding_status"), table_name="binding")
    op.drop_index("ix_binding_person", table_name="binding", postgresql_where=sa.text("status = 'live'"))
    op.drop_index("ix_binding_pending", table_name="binding", postgresql_where=sa.text("status = 'pending'"))
    op.drop_index(op.f("ix_binding_account_id"), table_name="binding")
    op.drop_table("binding")
    op.drop_index(
        "uq_appointment_live", table_name="appointment", postgresql_where=sa.text("status IN ('pending', 'booked')")
    )
    op.drop_index(
        "uq_appointment_arrival", table_name="appointment", postgresql_where=sa.text("arrival_no IS NOT NULL")
    )
    op.drop_index(op.f("ix_appointment_status"), table_name="appointment")
    op.drop_index(op.f("ix_appointment_slot_id"), table_name="appointment")
    op.drop_index(op.f("ix_appointment_person_id"), table_name="appointment")
    op.drop_index(op.f("ix_appointment_hospital_id"), table_name="appointment")
    op.drop_index(op.f("ix_appointment_account_id"), table_name="appointment")
    op.drop_table("appointment")
    op.drop_index(op.f("ix_report_visit_id"), table_name="report")
    op.drop_table("report")
    op.drop_table("reconciliation_statement")
    op.drop_table("reconciliation_report")
    op.drop_index(op.f("ix_reconciliation_party_ledger_status"), table_name="reconciliation_party_ledger")
    op.drop_index("ix_reconciliation_party_ledger_party", table_name="reconciliation_party_ledger")
    op.drop_index(op.f("ix_reconciliation_party_ledger_command_id"), table_name="reconciliation_party_ledger")
    op.drop_table("reconciliation_party_ledger")
    op.drop_table("reconciliation_part")
    op.drop_index(op.f("ix_reconciliation_difference_status"), table_name="reconciliation_difference")
    op.drop_index("ix_reconciliation_difference_last_run", table_name="reconciliation_difference")
    op.drop_index(op.f("ix_reconciliation_difference_insurer_id"), table_name="reconciliation_difference")
    op.drop_index(op.f("ix_reconciliation_difference_hospital_id"), table_name="reconciliation_difference")
    op.drop_index("ix_reconciliation_difference_clearing_no", table_name="reconciliation_difference")
    op.drop_table("reconciliation_difference")
    op.drop_index("uq_partner_key_live", table_name="partner_key", postgresql_where=sa.text("retired_at IS NULL"))
    op.drop_table("partner_key")
    op.drop_index(op.f("ix_operator_session_revoked_at"), table_name="operator_session")
    op.drop_index(op.f("ix_operator_session_operator_id"), table_name="operator_session")
    op.drop_index(op.f("ix_operator_session_expires_at"), table_name="operator_session")
    op.drop_table("operator_session")
    op.drop_table("operator_role")
    op.drop_table("message")
    op.drop_index(op.f("ix_merchant_app_app_id"), table_name="merchant_app")
    op.drop_table("merchant_app")
    op.drop_index(op.f("ix_medical_procedure_visit_id"), table_name="medical_procedure")
    op.drop_table("medical_procedure")
    op.drop_index(op.f("ix_ledger_entry_transaction_id"), table_name="ledger_entry")
    op.drop_index(op.f("ix_ledger_entry_account_id"), table_name="ledger_entry")
    op.drop_table("ledger_entry")
    op.drop_index(op.f("ix_inbox_message_received_at"), table_name="inbox_message")
    op.drop_table("inbox_message")
    op.drop_index(op.f("ix_document_visit_id"), table_name="document")
    op.drop_table("document")
    op.drop_index(op.f("ix_diagnosis_visit_id"), table_name="diagnosis")
    op.drop_table("diagnosis")
    op.drop_table("command_reply")
    op.drop_index(op.f("ix_bill_visit_id"), table_name="bill")
    op.drop_index("ix_bill_patient", table_name="bill")
    op.drop_table("bill")
    op.drop_index(op.f("ix_batch_status"), table_name="batch")
    op.drop_index("ix_batch_day", table_name="batch")
    op.drop_table("batch")
    op.drop_index(op.f("ix_account_unionid"), table_name="account")
    op.drop_table("account")
    op.drop_index(op.f("ix_wechat_app_party_id"), table_name="wechat_app")
    op.drop_table("wechat_app")
    op.drop_index("ix_visit_patient", table_name="visit")
    op.drop_table("visit")
    op.drop_table("tie_comparison")
    op.drop_index("ix_slot_open", table_name="slot")
    op.drop_table("slot")
    op.drop_table("registration_line")
    op.drop_index(op.f("ix_reconciliation_run_status"), table_name="reconciliation_run")
    op.drop_table("reconciliation_run")
    op.drop_table("push")
    op.drop_index(op.f("ix_policy_person_id"), table_name="policy")
    op.drop_table("policy")
    op.drop_index(
        "ix_patient_number_pull", table_name="patient_number", postgresql_where=sa.text("pull_id IS NOT NULL")
    )
    op.drop_index(
        "ix_patient_number_awaited", table_name="patient_number", postgresql_where=sa.text("pull_id IS NOT NULL")
    )
    op.drop_table("patient_number")
    op.drop_index(op.f("ix_partner_party_id"), table_name="partner")
    op.drop_table("partner")
    op.drop_table("operator")
    op.drop_table("merchant")
    op.drop_table("ledger_account")
    op.drop_table("lane")
    op.drop_table("doctor")
    op.drop_table("department")
    op.drop_index(op.f("ix_data_request_status"), table_name="data_request")
    op.drop_index(
        "ix_data_request_deadline", table_name="data_request", postgresql_where=sa.text("status IN ('open', 'fetched')")
    )
    op.drop_table("data_request")
    op.drop_index("uq_command_seq", table_name="command", postgresql_where=sa.text("seq IS NOT NULL"))
    op.drop_index("ix_command_waiting", table_name="command", postgresql_where=sa.text("status IN ('open', 'fetched')"))
    op.drop_index("ix_command_subject", table_name="command", postgresql_where=sa.text("subject IS NOT NULL"))
    op.drop_index(op.f("ix_command_status"), table_name="command")
    op.drop_index(
        "ix_command_deadline",
        table_name="command",
        postgresql_where=sa.text("status IN ('open', 'fetched') AND deadline IS NOT NULL"),
    )
    op.drop_table("command")
    op.drop_index("ix_change_new", table_name="change", postgresql_where=sa.text("cursor IS NULL"))
    op.drop_table("change")
    op.drop_table("bank_account")
    op.drop_index("ix_wechat_push_sender", table_name="wechat_push")
    op.drop_index(op.f("ix_wechat_push_received_at"), table_name="wechat_push")
    op.drop_table("wechat_push")
    op.drop_index(op.f("ix_used_login_state_expires_at"), table_name="used_login_state")
    op.drop_table("used_login_state")
    op.drop_index("ix_task_subject", table_name="task")
    op.drop_index("ix_task_due", table_name="task", postgresql_where=sa.text("status = 'due'"))
    op.drop_table("task")
    op.drop_table("scheduled_run")
    op.drop_index(op.f("ix_refresh_token_session_id"), table_name="refresh_token")
    op.drop_table("refresh_token")
    op.drop_table("quota_slot")
    op.drop_index(op.f("ix_person_phone_index"), table_name="person")
    op.drop_index(op.f("ix_person_name_index"), table_name="person")
    op.drop_index(op.f("ix_person_medical_card_index"), table_name="person")
    op.drop_table("person")
    op.drop_table("pay_notification")
    op.drop_table("party")
    op.drop_table("number_series")
    op.drop_index(op.f("ix_login_attempt_last_at"), table_name="login_attempt")
    op.drop_table("login_attempt")
    op.drop_table("ledger_transaction")
    op.drop_index(op.f("ix_idempotency_key_created_at"), table_name="idempotency_key")
    op.drop_table("idempotency_key")
    op.drop_table("e_bill_check")
    op.drop_table("clock_anchor")
    op.drop_index("uq_audit_entry_seq", table_name="audit_entry", postgresql_where=sa.text("seq IS NOT NULL"))
    op.drop_index("ix_audit_entry_unsealed", table_name="audit_entry", postgresql_where=sa.text("seq IS NULL"))
    op.drop_index("ix_audit_entry_subject", table_name="audit_entry")
    op.drop_table("audit_entry")
    op.execute("DROP FUNCTION ledger_transaction_adds_up()")
