"""Who may do what to which table: role → table → verbs, as code.

Promise: on PostgreSQL each part of the program has an account of its own, and what is not written here is denied. `apply` makes the
live database equal to this file: it takes away what is not listed. The analysis account has no grant in the vault, and none on
consent; no account may change or delete evidence. Must never learn: passwords; the operator sets those.
"""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from migrations.run import VERSION_TABLE, StoreName
from privacy import errors

OWNER = "piying_owner"
VAULT, INTAKE, ANALYSIS, CONSOLE, JOBS = "piying_vault", "piying_intake", "piying_analysis", "piying_console", "piying_jobs"
ROLES = (OWNER, VAULT, INTAKE, ANALYSIS, CONSOLE, JOBS)

READ = ("SELECT",)
ADD = ("SELECT", "INSERT")
CHANGE = ("SELECT", "INSERT", "UPDATE")
SWEEP = ("SELECT", "DELETE")
ALL = ("SELECT", "INSERT", "UPDATE", "DELETE")

_LOG = {"log_head": CHANGE, "log_entry": ADD, "log_payload": ADD, "log_node": ADD}
"""Whoever acts writes its own entry in its own transaction; nobody may change one."""

GRANTS: Mapping[StoreName, Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "vault": {
        VAULT: {
            "person": ALL,
            "data_key": ALL,
            "identifier": ALL,
            "person_merge": ALL,
            "person_separation": ALL,
            "link_batch": ADD,
            "refused_link": ALL,
            "merge_proposal": ALL,
            "tombstone": CHANGE,
            "erased_person": ADD,
            "erasure_slip": ALL,
            "export_holding": ALL,
            "ephemeral_key": ALL,
            "sealed_payload": ALL,
            "source_secret": ALL,
            "vault_meta": CHANGE,
            "key_state": CHANGE,
        },
    },
    "platform": {
        INTAKE: {
            **_LOG,
            "source": READ,
            "source_key": READ,
            "rate_bucket": CHANGE,
            "inbox": ADD,
            "file_import": CHANGE,
            "import_chunk": ALL,
            "import_part": ALL,
            "import_file": SWEEP,
            "seen_run": ALL,
            "seen_generation": ALL,
            "seen_part": ALL,
            "seen_head": CHANGE,
            "tally": CHANGE,
            "dropped_field": CHANGE,
            "quality": CHANGE,
            "delivery": ALL,
            "live_watch": SWEEP,
            "live_row": ALL,
            "quarantine_item": ALL,
            "pull": READ,
            "pull_cursor": ALL,
            "pull_file": ALL,
            "request_verdict": ALL,
            "purpose": READ,
            "notice": READ,
            "agreement": ADD,
            "consent_event": ADD,
            "consent_state": CHANGE,
            "consent_head": CHANGE,
            "consent_request": ALL,
            "person_case": ALL,
            "minor_approval": CHANGE,
            "stopped_count": ALL,
            "tag_objection": ALL,
            "person_flag": SWEEP,
        },
        ANALYSIS: {
            **_LOG,
            "budget_month": CHANGE,
            "charge": ADD,
            "release": CHANGE,
            "export_count": ALL,
            "team_share": READ,
            "team_member": READ,
            "team_month": CHANGE,
        },
        CONSOLE: {
            **_LOG,
            "log_payload": CHANGE,
            "checkpoint": ADD,
            "cosignature": ADD,
            "evidence_pack": CHANGE,
            "job": CHANGE,
            "schedule": READ,
            "pull": ALL,
            "pull_cursor": SWEEP,
            "pull_file": SWEEP,
            "source": CHANGE,
            "source_key": ALL,
            "source_client": CHANGE,
            "rate_bucket": ADD,
            "inbox": READ,
            "tally": READ,
            "dropped_field": READ,
            "quality": READ,
            "delivery": READ,
            "live_watch": ALL,
            "live_row": SWEEP,
            "source_owner": ADD,
            "quarantine_item": READ,
            "request_verdict": READ,
            "purpose": CHANGE,
            "notice": ADD,
            "agreement": READ,
            "consent_event": READ,
            "consent_state": READ,
            "consent_head": READ,
            "person_case": READ,
            "minor_approval": CHANGE,
            "stopped_count": READ,
            "request": CHANGE,
            "request_event": ADD,
            "request_package": CHANGE,
            "person_flag": CHANGE,
            "budget_month": READ,
            "charge": READ,
            "release": READ,
            "erasure": ADD,
            "erasure_step": READ,
            "lapse": READ,
            "tag_objection": READ,
            "dossier": ADD,
            "segment_version": ADD,
            "audience": CHANGE,
            "audience_member": ALL,
            "export": CHANGE,
            "export_person": ALL,
            "export_count": READ,
            "export_barred": ALL,
            "export_control": CHANGE,
            "export_file": CHANGE,
            "export_delivery": ADD,
            "export_pause": READ,
            "delivered_export": ADD,
            "export_absent": ADD,
            "suppression": READ,
            "suppression_delta": READ,
            "suppression_head": READ,
            "abroad_person": CHANGE,
            "abroad_erased": READ,
            "team_share": CHANGE,
            "team_member": CHANGE,
            "team_month": READ,
            "account": CHANGE,
            "account_choice": CHANGE,
            "setup_code": ALL,
            "token": CHANGE,
            "credential": CHANGE,
            "console_session": ALL,
            "throttle": ALL,
            "public_visit": ALL,
            "outbox_message": ADD,
            "repeat": ADD,
        },
        JOBS: {
            **_LOG,
            "job": ALL,
            "schedule": CHANGE,
            "pull": CHANGE,
            "lease": ALL,
            "request_package": ("SELECT", "UPDATE"),
            "erasure": CHANGE,
            "erasure_step": ALL,
            "lapse": ALL,
            "dossier": READ,
            "abroad_person": ALL,
            "abroad_erased": CHANGE,
            "repeat": ALL,
            "inbox": SWEEP,
            "file_import": ("SELECT", "UPDATE"),
            "import_part": READ,
            "import_file": ADD,
            "purpose": READ,
            "consent_event": READ,
            "consent_state": READ,
            "consent_head": READ,
            "person_flag": READ,
            "export_delivery": ALL,
            "export_pause": ALL,
            "delivered_export": CHANGE,
            "export_absent": SWEEP,
            "suppression": ALL,
            "suppression_delta": CHANGE,
            "suppression_head": ALL,
        },
    },
}


def apply(connection: sa.Connection, store: StoreName) -> None:
    """Makes the live grants of a store equal to `GRANTS`, in the caller's transaction. On SQLite, which has no accounts, does nothing."""
    if connection.dialect.name != "postgresql":
        return
    _make_roles(connection)
    quote = connection.dialect.identifier_preparer.quote
    database = quote(str(connection.exec_driver_sql("SELECT current_database()").scalar_one()))
    run = connection.exec_driver_sql
    run(f"REVOKE ALL ON DATABASE {database} FROM PUBLIC")
    run("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    for role in ROLES[1:]:
        run(f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {role}")
        run(f"REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM {role}")
        run(f"REVOKE ALL ON DATABASE {database} FROM {role}")
    for role, tables in GRANTS[store].items():
        run(f"GRANT CONNECT, TEMPORARY ON DATABASE {database} TO {role}")
        run(f"GRANT USAGE ON SCHEMA public TO {role}")
        run(f"GRANT SELECT ON {VERSION_TABLE} TO {role}")
        for table, verbs in tables.items():
            run(f"GRANT {', '.join(verbs)} ON {quote(table)} TO {role}")
            if "INSERT" in verbs:
                _grant_sequences(connection, table, role)


def statement_for_roles() -> str:
    """What an administrator of PostgreSQL runs once where the owner may not make accounts itself; passwords are theirs to set."""
    return "\n".join(f"CREATE ROLE {role} LOGIN;" for role in ROLES)


def _make_roles(connection: sa.Connection) -> None:
    known = set(connection.exec_driver_sql("SELECT rolname FROM pg_roles WHERE rolname ~ '^piying_'").scalars())
    missing = [role for role in ROLES if role not in known]
    if not missing:
        return
    allowed = connection.exec_driver_sql("SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user").scalar_one()
    if not allowed:
        raise errors.NotConfigured(f"PostgreSQL has no role {', '.join(missing)} and this account may not make it", code="roles_missing")
    for role in missing:
        connection.exec_driver_sql(f"CREATE ROLE {role} LOGIN")


def _grant_sequences(connection: sa.Connection, table: str, role: str) -> None:
    """The counters behind a table's automatic keys."""
    owned = sa.text(
        "SELECT counter.relname FROM pg_class counter JOIN pg_depend link ON link.objid = counter.oid AND link.deptype IN ('a', 'i') "
        "JOIN pg_class owner ON owner.oid = link.refobjid JOIN pg_namespace place ON place.oid = owner.relnamespace "
        "WHERE counter.relkind = 'S' AND owner.relname = :table AND place.nspname = 'public'"
    )
    quote = connection.dialect.identifier_preparer.quote
    for sequence in connection.execute(owned, {"table": table}).scalars():
        connection.exec_driver_sql(f"GRANT USAGE ON SEQUENCE {quote(sequence)} TO {role}")
