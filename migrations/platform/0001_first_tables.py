"""The platform store's first tables, and the triggers that keep evidence append-only."""

import sqlalchemy as sa
from alembic import op

revision = "platform_0001"
down_revision = None

APPEND_ONLY = ("consent_event", "notice", "log_entry", "log_node", "checkpoint", "charge")
"""Evidence: a row is never changed and never deleted, whoever asks."""

NEVER_DELETED = ("consent_head", "log_head", "log_payload", "budget_month", "release")
"""Totals, answers and blanked payloads: a row changes under its own rules and never goes."""

NEVER = (
    ("consent_head", "backwards", "NEW.seq < OLD.seq"),
    ("log_head", "backwards", "NEW.size < OLD.size"),
    ("budget_month", "refreshed", "NEW.cap_nano > OLD.cap_nano OR NEW.spent_nano < OLD.spent_nano OR NEW.delta_spent < OLD.delta_spent"),
    ("release", "reopened", "OLD.state <> 'pending'"),
)
"""Changes that are refused: a counter that goes back, a budget that is raised or refreshed, an answer that changes."""


def upgrade() -> None:
    _app_access()
    _app_housekeeping()
    _app_jobs()
    _ingestion_inbox()
    _ingestion_quarantine()
    _ingestion_registry()
    _ingestion_verdicts()
    _privacy_audit_checkpoint()
    _privacy_audit_log()
    _privacy_consent_ledger()
    _privacy_consent_registry()
    _privacy_consent_requests()
    _privacy_dp_ledger()
    _guards()


def _app_access() -> None:
    op.create_table(
        "account",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("disabled_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("email", name=op.f("uq_account_email")),
    )
    op.create_table(
        "setup_code",
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("account_id", sa.String(length=40), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_setup_code")),
    )
    op.create_index(op.f("ix_setup_code_account_id"), "setup_code", ["account_id"], unique=False)
    op.create_table(
        "token",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("account_id", sa.String(length=40), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_token")),
        sa.UniqueConstraint("digest", name=op.f("uq_token_digest")),
    )
    op.create_index(op.f("ix_token_account_id"), "token", ["account_id"], unique=False)


def _app_housekeeping() -> None:
    op.create_table(
        "lease",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("holder", sa.String(length=60), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_lease")),
    )


def _app_jobs() -> None:
    op.create_table(
        "job",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("arguments", sa.JSON(), nullable=False),
        sa.Column("done", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=True),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("error_code", sa.String(length=60), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("run_after", sa.BigInteger(), nullable=False),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.Column("lease_holder", sa.String(length=60), nullable=True),
        sa.Column("cancel", sa.Boolean(), nullable=False),
        sa.Column("created_by", sa.String(length=60), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.Column("key", sa.String(length=120), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
        sa.UniqueConstraint("key", name=op.f("uq_job_key")),
    )
    op.create_index(op.f("ix_job_run_after"), "job", ["run_after"], unique=False)
    op.create_index(op.f("ix_job_state"), "job", ["state"], unique=False)
    op.create_table(
        "schedule",
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("every_seconds", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("kind", name=op.f("pk_schedule")),
    )


def _ingestion_inbox() -> None:
    op.create_table(
        "dropped_field",
        sa.Column("source_id", sa.String(length=40), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("path", sa.String(length=200), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("source_id", "day", "path", name=op.f("pk_dropped_field")),
    )
    op.create_table(
        "inbox",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("batch_id", sa.LargeBinary(length=32), nullable=False),
        sa.Column("source_id", sa.String(length=40), nullable=False),
        sa.Column("lake_table", sa.String(length=64), nullable=False),
        sa.Column("row_count", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_inbox")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "seen",
        sa.Column("source_id", sa.String(length=40), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("source_id", "digest", name=op.f("pk_seen")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "tally",
        sa.Column("source_id", sa.String(length=40), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("verdict", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("source_id", "day", "verdict", "reason", name=op.f("pk_tally")),
    )


def _ingestion_quarantine() -> None:
    op.create_table(
        "quarantine_item",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("source_id", sa.String(length=40), nullable=False),
        sa.Column("batch_id", sa.LargeBinary(length=32), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("path", sa.String(length=400), nullable=False),
        sa.Column("rule", sa.String(length=40), nullable=False),
        sa.Column("reference", sa.String(length=80), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quarantine_item")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_quarantine_item_expires_at"), "quarantine_item", ["expires_at"], unique=False)
    op.create_index("ix_quarantine_item_source_id_id", "quarantine_item", ["source_id", "id"], unique=False)


def _ingestion_registry() -> None:
    op.create_table(
        "source",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("public", sa.Boolean(), nullable=False),
        sa.Column("purposes", sa.Text(), nullable=False),
        sa.Column("on_no_consent", sa.String(length=10), nullable=False),
        sa.Column("consent_signals", sa.String(length=10), nullable=False),
        sa.Column("namespace", sa.String(length=64), nullable=False),
        sa.Column("consent_categories", sa.Text(), nullable=False),
        sa.Column("origins", sa.Text(), nullable=False),
        sa.Column("owns_root_paths", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("disabled_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_source")),
        sa.UniqueConstraint("name", name=op.f("uq_source_name")),
    )
    op.create_table(
        "source_key",
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("source_id", sa.String(length=40), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"], name=op.f("fk_source_key_source_id")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_source_key")),
    )
    op.create_index(op.f("ix_source_key_source_id"), "source_key", ["source_id"], unique=False)


def _ingestion_verdicts() -> None:
    op.create_table(
        "request_verdict",
        sa.Column("request_id", sa.String(length=64), nullable=False),
        sa.Column("source_id", sa.String(length=40), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("items", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("request_id", name=op.f("pk_request_verdict")),
    )
    op.create_index(op.f("ix_request_verdict_expires_at"), "request_verdict", ["expires_at"], unique=False)


def _privacy_audit_checkpoint() -> None:
    op.create_table(
        "checkpoint",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_checkpoint")),
    )
    op.create_index(op.f("ix_checkpoint_at"), "checkpoint", ["at"], unique=False)
    op.create_index(op.f("ix_checkpoint_size"), "checkpoint", ["size"], unique=False)


def _privacy_audit_log() -> None:
    op.create_table(
        "log_entry",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("commitment", sa.LargeBinary(length=32), nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_log_entry")),
    )
    op.create_index(op.f("ix_log_entry_at"), "log_entry", ["at"], unique=False)
    op.create_table(
        "log_head",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("frontier", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_log_head_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_log_head")),
    )
    op.create_table(
        "log_node",
        sa.Column("level", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("level", "position", name=op.f("pk_log_node")),
    )
    op.create_table(
        "log_payload",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("salt", sa.LargeBinary(length=32), nullable=True),
        sa.Column("payload", sa.LargeBinary(), nullable=True),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=True),
        sa.Column("purpose", sa.String(length=64), nullable=True),
        sa.Column("erased_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_log_payload")),
    )
    op.create_index("ix_log_payload_actor_seq", "log_payload", ["actor", "seq"], unique=False)
    op.create_index(
        "ix_log_payload_purpose_seq",
        "log_payload",
        ["purpose", "seq"],
        unique=False,
        postgresql_where=sa.text("purpose IS NOT NULL"),
        sqlite_where=sa.text("purpose IS NOT NULL"),
    )
    op.create_index(
        "ix_log_payload_subject_seq",
        "log_payload",
        ["subject", "seq"],
        unique=False,
        postgresql_where=sa.text("subject IS NOT NULL"),
        sqlite_where=sa.text("subject IS NOT NULL"),
    )


def _privacy_consent_ledger() -> None:
    op.create_table(
        "consent_event",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("handle", sa.LargeBinary(length=16), nullable=False),
        sa.Column("purpose", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("effective_at", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("claimed_at", sa.BigInteger(), nullable=True),
        sa.Column("valid_until", sa.BigInteger(), nullable=True),
        sa.Column("source_id", sa.String(length=64), nullable=True),
        sa.Column("notice", sa.String(length=64), nullable=True),
        sa.Column("evidence", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("by", sa.String(length=80), nullable=True),
        sa.CheckConstraint("kind IN ('explicit', 'asserted')", name=op.f("ck_consent_event_kind")),
        sa.CheckConstraint("state IN ('granted', 'withdrawn', 'denied')", name=op.f("ck_consent_event_state")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_consent_event")),
    )
    op.create_index(op.f("ix_consent_event_handle"), "consent_event", ["handle"], unique=False)
    op.create_table(
        "consent_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_head")),
    )
    op.create_table(
        "consent_state",
        sa.Column("purpose", sa.String(length=64), nullable=False),
        sa.Column("handle", sa.LargeBinary(length=16), nullable=False),
        sa.Column("allowed", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=True),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("plain", sa.Boolean(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("purpose", "handle", name=op.f("pk_consent_state")),
        sqlite_with_rowid=False,
    )


def _privacy_consent_registry() -> None:
    op.create_table(
        "notice",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("texts", sa.JSON(), nullable=False),
        sa.Column("purposes", sa.JSON(), nullable=False),
        sa.Column("published_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
        sa.UniqueConstraint("version", name=op.f("uq_notice_version")),
    )
    op.create_table(
        "purpose",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("grounds", sa.JSON(), nullable=False),
        sa.Column("analytic", sa.Boolean(), nullable=False),
        sa.Column("separate", sa.Boolean(), nullable=False),
        sa.Column("validity_days", sa.Integer(), nullable=True),
        sa.Column("name_en", sa.String(length=200), nullable=False),
        sa.Column("name_zh", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_purpose")),
    )


def _privacy_consent_requests() -> None:
    op.create_table(
        "consent_request",
        sa.Column("key", sa.LargeBinary(length=32), nullable=False),
        sa.Column("body", sa.LargeBinary(length=32), nullable=False),
        sa.Column("answer", sa.JSON(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_consent_request")),
    )
    op.create_index(op.f("ix_consent_request_expires_at"), "consent_request", ["expires_at"], unique=False)


def _privacy_dp_ledger() -> None:
    op.create_table(
        "budget_month",
        sa.Column("month", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("cap_nano", sa.BigInteger(), nullable=False),
        sa.Column("spent_nano", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("delta_cap", sa.BigInteger(), nullable=False),
        sa.Column("delta_spent", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint("cap_nano <= 250000000", name=op.f("ck_budget_month_cap_within_limit")),
        sa.CheckConstraint("delta_spent >= 0 AND delta_spent <= delta_cap", name=op.f("ck_budget_month_delta_within_cap")),
        sa.CheckConstraint("spent_nano >= 0 AND spent_nano <= cap_nano", name=op.f("ck_budget_month_spent_within_cap")),
        sa.PrimaryKeyConstraint("month", name=op.f("pk_budget_month")),
    )
    op.create_table(
        "charge",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("release_id", sa.String(length=40), nullable=False),
        sa.Column("month", sa.Integer(), nullable=False),
        sa.Column("rho_nano", sa.BigInteger(), nullable=False),
        sa.Column("delta_units", sa.BigInteger(), nullable=False),
        sa.Column("charged_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_charge")),
        sa.UniqueConstraint("release_id", "month", name=op.f("uq_charge_release_id_month")),
    )
    op.create_index(op.f("ix_charge_month"), "charge", ["month"], unique=False)
    op.create_table(
        "release",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("question_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("rho_nano", sa.BigInteger(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("sigma", sa.Double(), nullable=True),
        sa.Column("half_width", sa.BigInteger(), nullable=True),
        sa.Column("asked_by", sa.String(length=200), nullable=False),
        sa.Column("holder", sa.String(length=200), nullable=False),
        sa.Column("reserved_at", sa.BigInteger(), nullable=False),
        sa.Column("answered_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("(state = 'answered') = (answer IS NOT NULL)", name=op.f("ck_release_answered_has_answer")),
        sa.CheckConstraint("state IN ('pending', 'answered', 'abandoned')", name=op.f("ck_release_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_release")),
    )
    op.create_index(
        "uq_release_live_question",
        "release",
        ["question_hash"],
        unique=True,
        sqlite_where=sa.text("state <> 'abandoned'"),
        postgresql_where=sa.text("state <> 'abandoned'"),
    )


def _guards() -> None:
    if op.get_bind().dialect.name == "postgresql":
        _guards_on_postgresql()
    else:
        _guards_on_sqlite()


def _guards_on_sqlite() -> None:
    def guard(table: str, name: str, event: str, when: str = "") -> None:
        op.execute(
            f"CREATE TRIGGER {table}_{name} BEFORE {event} ON {table} {when} BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        )

    for table in (*APPEND_ONLY, *NEVER_DELETED):
        guard(table, "no_delete", "DELETE")
    for table in APPEND_ONLY:
        guard(table, "no_update", "UPDATE")
    for table, name, condition in NEVER:
        guard(table, f"never_{name}", "UPDATE", f"WHEN {condition}")


def _guards_on_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION piying_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = '23001'; END $$"
    )

    def guard(table: str, name: str, event: str, scope: str = "ROW", when: str = "") -> None:
        op.execute(f"CREATE TRIGGER {table}_{name} BEFORE {event} ON {table} FOR EACH {scope} {when} EXECUTE FUNCTION piying_append_only()")

    for table in (*APPEND_ONLY, *NEVER_DELETED):
        guard(table, "no_delete", "DELETE")
        guard(table, "no_truncate", "TRUNCATE", scope="STATEMENT")
    for table in APPEND_ONLY:
        guard(table, "no_update", "UPDATE")
    for table, name, condition in NEVER:
        guard(table, f"never_{name}", "UPDATE", when=f"WHEN ({condition})")
