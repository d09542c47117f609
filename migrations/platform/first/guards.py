"""The triggers that keep evidence append-only: a part of revision platform_0001, frozen with it."""

from alembic import op

APPEND_ONLY = (
    "dossier",
    "agreement",
    "consent_event",
    "notice",
    "log_entry",
    "log_node",
    "checkpoint",
    "cosignature",
    "charge",
    "request_event",
    "segment_version",
)
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


def create() -> None:
    if op.get_bind().dialect.name == "postgresql":
        _on_postgresql()
    else:
        _on_sqlite()


def _on_sqlite() -> None:
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


def _on_postgresql() -> None:
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
