"""`piying doctor`: each check looks at the thing itself and says in one line what is wrong and what to do.

Promise: a check never raises, never writes, never prints a value; a check that cannot look is a failed check. Each has a test that
breaks it.
"""

from __future__ import annotations

import shutil
import stat
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

from privacy.errors import PiyingError

if TYPE_CHECKING:
    from app.wiring import Services

LONGEST_QUERY_SECONDS = 3600
"""A spill file older than this belongs to no running query."""

OLDEST_SQLITE = (3, 50, 0)

Check = Callable[["Services"], str]
"""Looks, and returns what it saw; raises PiyingError where something is wrong."""


def examine(services: Services, *, leave_out: Collection[str] = ()) -> dict[str, Any]:
    """Runs every check that is not left out: {"ok", "checks": [{"name", "ok", "detail"}]}."""
    checks = [_run(name, check, services) for name, check in CHECKS.items() if name not in leave_out]
    return {"ok": all(check["ok"] for check in checks), "checks": checks}


def _run(name: str, check: Check, services: Services) -> dict[str, Any]:
    try:
        return {"name": name, "ok": True, "detail": check(services)}
    except PiyingError as error:
        return {"name": name, "ok": False, "detail": f"{error.message} ({error.code})"}
    except Exception as error:  # a check that cannot look has failed; its message could quote a path or a value, its type cannot
        return {"name": name, "ok": False, "detail": f"the check itself failed: {type(error).__name__}"}


class _Wrong(PiyingError):
    """What a check found."""

    code = "doctor"


def _keys(services: Services) -> str:
    if services.lock is not None:
        raise services.lock
    return f"{len(services.open_keyring().inventory())} key versions, of this deployment"


def _private_files(services: Services) -> str:
    home = services.settings.home
    for path in (home, services.settings.keys_path, services.settings.lake_path):
        if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise _Wrong("a file or folder under PIYING_HOME can be read by others: chmod it to 0700 or 0600", code="home_not_private")
    return "home, key file and lake are their owner's alone"


def _vault_schema(services: Services) -> str:
    services.check_schema("vault")
    return "the vault's schema is this program's own"


def _platform_schema(services: Services) -> str:
    services.check_schema("platform")
    return "the platform store's schema is this program's own"


def _writable(services: Services) -> str:
    for begin in (services.stores.begin_vault, services.begin_jobs):
        with begin():
            pass
    return "both stores open for writing"


def _sqlite(services: Services) -> str:
    seen = set()
    for name, read in (("vault", services.stores.read_vault), ("platform store", services.read_jobs)):
        with read() as tx:
            if tx.dialect.name != "sqlite":
                seen.add("PostgreSQL")
                continue
            version = tuple(int(part) for part in str(tx.exec_driver_sql("select sqlite_version()").scalar()).split("."))
            journal = str(tx.exec_driver_sql("pragma journal_mode").scalar())
            synchronous = tx.exec_driver_sql("pragma synchronous").scalar()
        if version < OLDEST_SQLITE:
            raise _Wrong("this SQLite can lose a WAL reset: install pysqlite3 0.6.1 or newer", code="sqlite_too_old")
        if journal != "wal" or synchronous != 2:
            raise _Wrong(f"the {name} is not in WAL mode with synchronous=FULL", code="sqlite_not_durable")
        seen.add(f"SQLite {'.'.join(map(str, version))}, WAL, synchronous=FULL")
    return "; ".join(sorted(seen))


def _log(services: Services) -> str:
    found = services.oversight.check()
    if not found["ok"]:
        raise _Wrong(f"the log does not verify from entry {found['first_bad']}", code="log_broken")
    return f"{found['size']} entries verify"


def _lake(services: Services) -> str:
    return f"{services.lake_tables()} tables open"


def _inbox(services: Services) -> str:
    age = services.inbox_age()
    if age > services.settings.limits.inbox_age:
        raise _Wrong("the oldest batch waits too long: is a worker running? `piying flush`", code="inbox_too_old")
    return f"oldest batch waits {age} s"


def _disk(services: Services) -> str:
    free = shutil.disk_usage(services.settings.home).free
    if free < services.settings.limits.disk_free * 2**20:
        raise _Wrong("the disk is nearly full", code="disk_nearly_full")
    return f"{free // 2**20} MiB free"


def _temporary(services: Services) -> str:
    longest = services.clock().timestamp() - LONGEST_QUERY_SECONDS
    if any(path.is_file() and path.stat().st_mtime < longest for path in services.settings.temp_path.rglob("*")):
        raise _Wrong("spilled query files were left in the temporary folder", code="temp_not_empty")
    return "no spilled query files"


def _budget(services: Services) -> str:
    if services.over_budget():
        raise _Wrong("a month's ledger is over its cap", code="budget_over")
    return "no month is over its cap"


def _ledger(services: Services) -> str:
    return services.check_ledger()


def _erasures(services: Services) -> str:
    return services.check_erased()


def _separation(services: Services) -> str:
    settings = services.settings
    with services.read_jobs() as tx:
        if tx.dialect.name == "sqlite":
            return "one machine, one user: separated by code only (docs/threat-model.md)"
    roles = {settings.platform.intake_url, settings.platform.analysis_url, settings.platform.console_url, settings.platform.jobs_url}
    if "" in roles or len(roles) < 4:
        raise _Wrong("on PostgreSQL each role needs an address of its own (platform.*_url)", code="roles_not_separate")
    return "each role has an address of its own"


def _pulls(services: Services) -> str:
    failing = services.failing_pulls()
    if failing:
        raise _Wrong(f"{len(failing)} pulls failed three times in a row or more: `piying pull list`", code="pull_failing")
    return "no pull fails again and again"


def _accounting(services: Services) -> str:
    missing = services.unaccounted()
    if missing:
        raise _Wrong(
            f"received is not what was stored, repeated, quarantined and refused: {'; '.join(missing[:3])}", code="items_unaccounted"
        )
    return "every item of every source's minute is accounted for"


CHECKS: dict[str, Check] = {
    "keys": _keys,
    "private files": _private_files,
    "vault schema": _vault_schema,
    "platform schema": _platform_schema,
    "stores writable": _writable,
    "database engine": _sqlite,
    "access log": _log,
    "lake": _lake,
    "inbox": _inbox,
    "accounting": _accounting,
    "disk": _disk,
    "temporary files": _temporary,
    "budget": _budget,
    "ledger": _ledger,
    "erasures": _erasures,
    "pulls": _pulls,
    "separation": _separation,
}
