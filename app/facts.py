"""What the dictionary says and where data about people is: live facts for commands, routes and the officer.

Promise: read from the catalogue and the stores themselves, so that the lists cannot go stale. Never a value about a person.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from app import jobs, logs
from privacy.dictionary import catalogue
from privacy.errors import Invalid, PiyingError

if TYPE_CHECKING:
    from app.wiring import Services


def dictionary(record: str | None = None) -> list[dict[str, Any]]:
    """Every field that a source may send; `becomes` is `table.column: treatment` or `drop`."""
    known = catalogue.load()
    return [
        {
            "record": kind.name,
            "field": field.name,
            "type": field.type,
            "unit": field.unit,
            "class": field.class_,
            "category": field.category,
            "purposes": list(field.purposes),
            "becomes": [f"{one.table}.{one.column}: {one.treatment}" for one in field.becomes] or ["drop"],
            "meaning": field.meaning_en,
            "meaning_zh": field.meaning_zh,
            "people": kind.people,
        }
        for kind in known.records.values()
        if record is None or kind.name == record
        for field in kind.fields.values()
    ]


def inventory(services: Services) -> list[dict[str, Any]]:
    """Every place that holds data about people. `people` tables of the lake come from the dictionary, the rest from the stores."""
    kept = services.settings.retention
    places = [
        ("vault: person", "that a person exists, sealed birth dates", "random ids, sealed values", "until erasure"),
        (
            "vault: person_merge, person_separation, link_batch, refused_link, merge_proposal",
            "who is held to be one person and why, who is kept apart, which links were refused or proposed",
            "random ids, rules, times",
            "until erasure",
        ),
        ("vault: identifier", "identifiers", "sealed under the person's key; keyed digests for look-up", "until erasure"),
        ("vault: data_key", "the persons' keys", "wrapped", "until erasure"),
        ("vault: tombstone", "that an identifier was erased", "keyed digests", f"{kept.evidence_months} months"),
        ("vault: sealed_payload", "items whose form failed", "sealed under a key of the day", f"{kept.quarantine_days} days"),
        ("platform: consent_event, consent_state", "what people decided", "under a consent handle", f"{kept.evidence_months} months"),
        ("platform: log_entry, log_payload", "who touched what", "handles and counts, salted", f"{kept.evidence_months} months"),
        ("platform: inbox", "de-identified rows on their way", "virtual IDs of the month", "until flushed"),
        ("platform: seen_run, seen_generation, seen_part", "that an item was stored", "keyed digests", f"{kept.dedupe_days} days"),
        (
            "platform: quarantine_item",
            "which items failed in form, where and by which rule",
            "positions, rules",
            f"{kept.quarantine_days} days",
        ),
        ("platform: pull_cursor", "where the reading of a source goes on", "sealed where it may be a number of somebody's", "until moved"),
        ("platform: pull_file", "which files of a watched folder were taken", "keyed digests", "until the pull is removed"),
        (
            "platform: file_import, import_chunk, import_part, import_file",
            "which files were imported and which of their rows failed; the file itself is sealed in the folder uploads until it is imported",
            "positions, rules, counts, names of lake files",
            f"{kept.verdict_days} days",
        ),
        ("platform: request_verdict", "verdicts of form by item", "positions and rules", f"{kept.verdict_days} days"),
        (
            "platform: account, setup_code, token",
            "who works here",
            "addresses of staff; digests of codes and tokens",
            "while they work here",
        ),
    ]
    lake = [
        (f"lake: {table.name}", table.meaning_en, "virtual IDs of the month", f"{kept.lake_months} months")
        for table in catalogue.load().tables.values()
        if table.people
    ]
    return [dict(zip(("place", "holds", "form", "kept"), row, strict=True)) for row in [*places, *lake]]


def purposes(services: Services) -> list[dict[str, Any]]:
    """Every registered purpose with its grounds by jurisdiction."""
    with services.read_console() as tx:
        return [
            {
                "purpose": one.key,
                "grounds": dict(one.grounds),
                "analytic": one.analytic,
                "separate": one.separate,
                "validity_days": one.validity_days,
                "names": dict(one.name),
            }
            for one in services.purposes(tx).values()
        ]


def job(services: Services, job_id: str, *, exact: bool) -> dict[str, Any]:
    """A job as its page shows it. Without exact.read: its state and its release, no count of rows (dp_rules X-3)."""
    with services.read_console() as tx:
        found = jobs.find(tx, job_id)
    if not exact:
        found = {name: found[name] for name in ("id", "kind", "state", "error_code")} | {"release": found["counts"].get("release")}
    return found


def log_entries(services: Services, *, cursor: str | None, actor: str) -> dict[str, Any]:
    """A page of the access log, newest first; reading it is itself an entry, written before."""
    if cursor is not None and not (cursor.isascii() and cursor.isdigit() and len(cursor) <= 18):
        raise Invalid("the cursor is not one of ours", code="bad_cursor", field="cursor")
    return services.log_page(before=None if cursor is None else int(cursor), actor=actor)


def readiness(services: Services) -> dict[str, bool]:
    """Keys open, stores and log writable, schema its own, inbox age under its limit."""

    def holds(look: Callable[[], object]) -> bool:
        try:
            return look() is not False
        except PiyingError:
            return False

    def writable() -> None:
        with services.stores.begin_vault(), services.begin_jobs():
            pass

    return {
        "keys": services.lock is None,
        "vault_schema": holds(lambda: services.check_schema("vault")),
        "platform_schema": holds(lambda: services.check_schema("platform")),
        "stores": holds(writable),
        "inbox": holds(lambda: services.inbox_age() <= services.settings.limits.inbox_age),
    }


def measure(services: Services) -> None:
    """Brings the gauges up to date."""
    logs.INBOX_AGE.set(services.inbox_age())
