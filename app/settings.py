"""Settings, read once at the start: a TOML file in the home folder, `PIYING_*` over it.

Promise: an unknown key, a value out of its limits or a wrong mixture stops the program with one line that names the key. Every
setting carries its unit and the reason for its default, and `Settings.listing` shows all of them without a password. Must never
learn: a key or a secret other than the address of a database; keys come from files that settings only name.
"""

from __future__ import annotations

import dataclasses
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_type_hints
from zoneinfo import ZoneInfo

from app import addresses, mixtures
from privacy import errors

FILE_NAME = "piying.toml"
OTHER_VARIABLES = frozenset({"PIYING_HOME", "PIYING_TEST_DATA", "PIYING_CAPTURES"})
"""`PIYING_*` variables that are not settings: the home folder itself, and where tests find their data."""


def _setting(
    default: Any,
    unit: str,
    reason: str,
    *,
    least: float | None = None,
    most: float | None = None,
    among: tuple[str, ...] | None = None,
    secret: bool = False,
) -> Any:
    facts = {"unit": unit, "reason": reason, "least": least, "most": most, "among": among, "secret": secret}
    return dataclasses.field(default=default, metadata=facts, repr=not secret)


@dataclass(frozen=True, slots=True)
class VaultSettings:
    url: str = _setting(
        "", "address", "empty: an SQLite file of its own in the home folder; production: PostgreSQL as piying_vault", secret=True
    )
    owner_url: str = _setting("", "address", "for `init` only: PostgreSQL as piying_owner; empty: the same as vault.url", secret=True)


@dataclass(frozen=True, slots=True)
class PlatformSettings:
    url: str = _setting("", "address", "empty: an SQLite file in the home folder; production: PostgreSQL", secret=True)
    owner_url: str = _setting("", "address", "for `init` only: PostgreSQL as piying_owner; empty: the same as platform.url", secret=True)
    intake_url: str = _setting("", "address", "PostgreSQL as piying_intake; empty: platform.url", secret=True)
    analysis_url: str = _setting("", "address", "PostgreSQL as piying_analysis; empty: platform.url", secret=True)
    console_url: str = _setting("", "address", "PostgreSQL as piying_console; empty: platform.url", secret=True)
    jobs_url: str = _setting("", "address", "PostgreSQL as piying_jobs; empty: platform.url", secret=True)


@dataclass(frozen=True, slots=True)
class LakeSettings:
    path: str = _setting(
        "lake", "folder", "relative to the home folder; everything in it is de-identified, and still personal information (L-6)"
    )
    catalogue: str = _setting("", "address", "empty: an SQLite file beside the lake; production: PostgreSQL", secret=True)


@dataclass(frozen=True, slots=True)
class KeysSettings:
    source: str = _setting("keys/keyring.json", "file", "relative to the home folder; mode 0600; never in a database (DESIGN §5)")
    profile: str = _setting(
        "international",
        "profile",
        "AES-256, SHA-256; commercial: SM4, SM3 (商用密码, Cryptography Law 27). Chosen once by `init`, kept in the key file",
        among=("international", "commercial"),
    )


@dataclass(frozen=True, slots=True)
class ServerSettings:
    host: str = _setting("127.0.0.1", "address", "nobody outside this machine until somebody says so")
    port: int = _setting(8700, "port", "any free port", least=0, most=65_535)
    workers: int = _setting(1, "processes", "one process needs the least memory; a core each is the sensible most", least=1, most=64)
    base_url: str = _setting("", "address", "how browsers reach the server; empty: from host and port")
    trusted_proxies: int = _setting(
        0,
        "hops",
        "proxies that stand before the server, each adding to X-Forwarded-For; of forwarded headers no more is believed",
        least=0,
        most=8,
    )


@dataclass(frozen=True, slots=True)
class ControllerSettings:
    name: str = _setting("", "text", "the personal information processor that people read in notices (PIPL 17)")
    contact: str = _setting("", "text", "where people reach it (PIPL 17)")


@dataclass(frozen=True, slots=True)
class PrivacySettings:
    rho_per_month: int = _setting(
        50_000_000, "nano-rho", "epsilon 1.47 at delta 1e-6 (DESIGN §7); never above 0.25 (P-4)", least=1, most=250_000_000
    )
    delta: float = _setting(1e-6, "probability", "below one in the number of members (dp.md)", least=1e-12, most=1e-5)
    declared_members: int = _setting(100_000, "people", "a public round number, declared and never counted", least=1, most=2_000_000_000)
    minimum_people: int = _setting(50, "people", "no list and no segment under this size", least=10, most=100_000)
    unknown_age: str = _setting(
        "signal",
        "policy",
        "who tells no birth date: out of marketing where a rule has a youth signal (L-1), `exclude`: always, `allow`: never",
        among=("signal", "exclude", "allow"),
    )
    minors_approvers: tuple[str, ...] = _setting((), "addresses", "officers who approve looks at minors (PIPL 31); empty: any second one")
    cool_down_days: int = _setting(90, "days", "after a refusal nobody asks again (Network Data Regulation 22(5))", least=1, most=3_650)


@dataclass(frozen=True, slots=True)
class LimitsSettings:
    request_bytes: int = _setting(4_194_304, "bytes", "RudderStack's clients send up to 4 MB after inflation", least=1_024, most=67_108_864)
    item_bytes: int = _setting(32_768, "bytes", "Segment's own limit for one message", least=256, most=1_048_576)
    request_items: int = _setting(2_500, "items", "Segment's own limit for one batch", least=1, most=50_000)
    json_depth: int = _setting(32, "levels", "clients stay under ten; deeper costs stack", least=8, most=64)
    requests_per_second: int = _setting(
        1_000, "requests/s", "of one source over all processes, unless it has its own; above it 429 with Retry-After", least=1, most=100_000
    )
    public_answer: int = _setting(
        100, "milliseconds", "the soonest that a client key is answered, whoever it asks about", least=20, most=4_000
    )
    upload_bytes: int = _setting(2_147_483_648, "bytes", "one uploaded import file; larger files go by command", least=1_024, most=1 << 40)
    form_bytes: int = _setting(
        268_435_456, "bytes", "one file in a form of the console, which cannot go on where it broke off", least=1_024, most=1 << 32
    )
    import_rows: int = _setting(
        10_000, "rows", "one chunk of a file: one decision, one transaction, one log entry", least=100, most=100_000
    )
    inbox_age: int = _setting(3_600, "seconds", "the oldest row waiting for the lake; above it /readyz is red", least=60, most=604_800)
    flush_rows: int = _setting(
        1_000_000, "rows", "rows moved into the lake in one snapshot; bounds the writer's memory", least=1_000, most=10_000_000
    )
    busy_timeout: int = _setting(5_000, "milliseconds", "how long to wait for the database's lock before 503", least=5_000, most=60_000)
    store_connections: int = _setting(10, "connections", "for one role in one process", least=1, most=200)
    engine_memory: int = _setting(
        1_024, "MiB", "memory of the query engine; the rest spills into the home folder and is wiped", least=128, most=1_048_576
    )
    engine_threads: int = _setting(2, "threads", "of the query engine", least=1, most=256)
    disk_free: int = _setting(
        256, "MiB", "below it nothing is accepted, so that what was acknowledged can still be kept", least=16, most=1_048_576
    )


@dataclass(frozen=True, slots=True)
class DeliverySettings:
    destinations: str = _setting(
        "destinations.toml", "file", "a section a recipient: a folder or an address; without one its people fetch what is theirs"
    )
    hosts: tuple[str, ...] = _setting((), "names", "hosts that lists may be pushed to; `.example.cn` is every name below; empty: none")
    networks: tuple[str, ...] = _setting((), "networks", "private networks that may be pushed to all the same; without them none")
    authorities: str = _setting("", "file", "certificates of the deployment's own authorities; empty: those that the machine trusts")
    folder: str = _setting("outgoing", "folder", "files for recipients are laid into folders below it, which recipients empty")
    acknowledge_hours: int = _setting(
        24, "hours", "a recipient that has not acknowledged a removal by then gets nothing added (PIPL 15, GDPR 19)", least=1, most=360
    )
    wait_seconds: int = _setting(10, "seconds", "one wait for a recipient; an attempt ends within five of them", least=1, most=50)


@dataclass(frozen=True, slots=True)
class LogSettings:
    witnesses: tuple[str, ...] = _setting(
        (), "keys", "of witnesses outside who cosign the log's head (`witness.py key` prints one); nobody else's line is kept"
    )
    office_from: int = _setting(8, "hour", "an act before it counts as outside office hours on the log's page", least=0, most=23)
    office_until: int = _setting(20, "hour", "an act from it on counts as outside office hours on the log's page", least=1, most=24)


@dataclass(frozen=True, slots=True)
class RetentionSettings:
    lake_months: int = _setting(24, "months", "older months are dropped as files (PIPL 19)", least=1, most=60)
    dedupe_days: int = _setting(30, "days", "clients retry for at most 30 days; order keys die with it", least=30, most=90)
    quarantine_days: int = _setting(7, "days", "sealed items whose form failed (SHAPES); never longer", least=1, most=7)
    waiting_hours: int = _setting(24, "hours", "items that wait for a consent on another path (SHAPES); never longer", least=1, most=24)
    verdict_days: int = _setting(7, "days", "what an integrator may ask about a request", least=1, most=7)
    snapshot_days: int = _setting(7, "days", "old lake snapshots; with them go the files of erased rows (15 days, L-4)", least=1, most=14)
    job_days: int = _setting(90, "days", "finished jobs and their counts", least=1, most=365)
    lapse_days: int = _setting(
        7, "days", "rows of whoever ended their last analytic purpose, invisible at once (15 days, L-5)", least=0, most=14
    )
    data_key_days: int = _setting(7, "days", "backups of the people's keys: how long an erased person is in one", least=1, most=30)
    membership_days: int = _setting(
        90, "days", "that somebody stood in an audience and left it; with their consent it goes at once (PIPL 19)", least=1, most=365
    )
    evidence_months: int = _setting(36, "months", "consent evidence and log payloads: three years (PIPL 56)", least=36, most=120)


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that a deployment may choose. Made by `load`; nothing changes it afterwards."""

    home: Path
    vault: VaultSettings = VaultSettings()
    platform: PlatformSettings = PlatformSettings()
    lake: LakeSettings = LakeSettings()
    keys: KeysSettings = KeysSettings()
    server: ServerSettings = ServerSettings()
    controller: ControllerSettings = ControllerSettings()
    privacy: PrivacySettings = PrivacySettings()
    limits: LimitsSettings = LimitsSettings()
    delivery: DeliverySettings = DeliverySettings()
    log: LogSettings = LogSettings()
    retention: RetentionSettings = RetentionSettings()
    jurisdiction: str = _setting("CN", "code", "PIPL first: no legitimate interest (PIPL 13)", among=("CN", "EU"))
    zone: str = _setting("Asia/Shanghai", "time zone", "months and days are those of the controller")
    languages: tuple[str, ...] = _setting(("zh", "en"), "codes", "of notices and console", among=("zh", "en"))
    currency: str = _setting("CNY", "ISO 4217", "amounts are counted in its minor unit")

    @property
    def time_zone(self) -> ZoneInfo:
        return ZoneInfo(self.zone)

    @property
    def https(self) -> bool:
        """Whether browsers reach the server by https: then cookies are secure ones and browsers are told to stay there."""
        return self.server.base_url.startswith("https://")

    @property
    def vault_url(self) -> str:
        return self.vault.url or _file_url(self.home / "vault.db")

    @property
    def platform_url(self) -> str:
        return self.platform.url or _file_url(self.home / "platform.db")

    @property
    def lake_path(self) -> Path:
        return self.home / self.lake.path

    @property
    def catalogue_url(self) -> str:
        return self.lake.catalogue or _file_url(self.home / "catalogue.db")

    @property
    def keys_path(self) -> Path:
        return self.home / self.keys.source

    @property
    def temp_path(self) -> Path:
        """Spill files live here, inside the home folder; whoever uses it empties it at start and end."""
        return self.home / "temp"

    def listing(self) -> list[dict[str, Any]]:
        """Every setting with its value, unit and reason, for `doctor` and the manual; a database's password is not shown."""
        rows = []
        for key, group, spec, _ in _known():
            value = getattr(getattr(self, group) if group else self, spec.name)
            shown = _without_password(value) if spec.metadata["secret"] else value
            rows.append(
                {
                    "key": key,
                    "value": shown,
                    "default": spec.default,
                    "unit": spec.metadata["unit"],
                    "reason": spec.metadata["reason"],
                    "secret": spec.metadata["secret"],
                }
            )
        return rows


def home_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """The folder of everything: `PIYING_HOME`, by default `./.piying`."""
    return Path(environment.get("PIYING_HOME") or ".piying").absolute()


def load(home: Path | None = None, environment: Mapping[str, str] = os.environ) -> Settings:
    """Settings of a home folder; raises errors.Invalid naming the key that is unknown, wrong or does not go with another."""
    home = home or home_folder(environment)
    given: dict[str, Any] = {**_from_file(home / FILE_NAME), **_from_environment(environment)}
    groups: dict[str, dict[str, Any]] = {}
    for key, group, spec, kind in _known():
        if key in given:
            groups.setdefault(group, {})[spec.name] = _checked(key, given.pop(key), kind, spec.metadata)
    if given:
        unknown = sorted(given)[0]
        raise errors.Invalid(f"unknown setting {unknown}", code="setting_unknown", field=unknown)
    top = groups.pop("", {})
    kinds = get_type_hints(Settings)
    settings = Settings(home=home, **{name: kinds[name](**values) for name, values in groups.items()}, **top)
    mixtures.check(settings)
    return settings


def origins(home: Path, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Where each setting that was given comes from: `file`, or `environment`, which goes before."""
    return dict.fromkeys(_from_file(home / FILE_NAME), "file") | dict.fromkeys(_from_environment(environment), "environment")


def _known() -> list[tuple[str, str, dataclasses.Field[Any], Any]]:
    """(key, group, field, type) of every setting; group is empty for those at the top."""
    kinds = get_type_hints(Settings)
    rows: list[tuple[str, str, dataclasses.Field[Any], Any]] = []
    for top in dataclasses.fields(Settings):
        kind = kinds[top.name]
        if dataclasses.is_dataclass(kind):
            inner = get_type_hints(kind)
            rows += [(f"{top.name}.{spec.name}", top.name, spec, inner[spec.name]) for spec in dataclasses.fields(kind)]
        elif top.name != "home":
            rows.append((top.name, "", top, kind))
    return rows


def variable_of(key: str) -> str:
    """The environment variable of a setting: `server.port` is PIYING_SERVER_PORT."""
    return "PIYING_" + key.replace(".", "_").upper()


def _from_file(path: Path) -> dict[str, Any]:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise errors.Invalid(f"{FILE_NAME} cannot be read", code="settings_unreadable") from error
    except tomllib.TOMLDecodeError as error:
        raise errors.Invalid(f"{FILE_NAME} is not TOML", code="settings_unreadable") from error
    flat: dict[str, Any] = {}
    for name, value in content.items():
        if isinstance(value, dict):
            flat.update({f"{name}.{inner}": inner_value for inner, inner_value in value.items()})
        else:
            flat[name] = value
    return flat


def _from_environment(environment: Mapping[str, str]) -> dict[str, str]:
    keys = {variable_of(key): key for key, *_ in _known()}
    found: dict[str, str] = {}
    for variable, value in environment.items():
        if not variable.startswith("PIYING_") or variable in OTHER_VARIABLES or addresses.is_address(variable):
            continue
        if variable not in keys:
            raise errors.Invalid(f"unknown setting {variable} in the environment", code="setting_unknown", field=variable)
        found[keys[variable]] = value
    return found


def _checked(key: str, value: Any, kind: Any, facts: Mapping[str, Any]) -> Any:
    """The value in its type and within its limits; the message names the key and the rule, never the value."""
    converted = _converted(value, kind)
    if converted is None:
        raise errors.Invalid(f"{key} needs {facts['unit']} as {_kind_name(kind)}", code="setting_invalid", field=key)
    least, most, among = facts["least"], facts["most"], facts["among"]
    if (least is not None and converted < least) or (most is not None and converted > most):
        raise errors.Invalid(f"{key} must be from {least} to {most} {facts['unit']}", code="setting_invalid", field=key)
    if among and not set([converted] if isinstance(converted, str) else converted) <= set(among):
        raise errors.Invalid(f"{key} must be of {', '.join(among)}", code="setting_invalid", field=key)
    return converted


def _converted(value: Any, kind: Any) -> Any | None:
    """Text from the environment becomes what TOML would have given; anything else must have the type already."""
    if kind is str:
        return value if isinstance(value, str) else None
    if kind in (int, float):
        if isinstance(value, str):
            try:
                return kind(value)
            except ValueError:
                return None
        right = isinstance(value, (int, kind)) and not isinstance(value, bool)
        return kind(value) if right else None
    items = [item.strip() for item in value.split(",")] if isinstance(value, str) else value
    right = isinstance(items, list) and bool(items) and all(isinstance(item, str) for item in items)
    return tuple(items) if right else None


def _kind_name(kind: Any) -> str:
    return {int: "a whole number", float: "a number", str: "text"}.get(kind, "a list of texts")


def _file_url(path: Path) -> str:
    return f"sqlite+pysqlite3:///{path}"


def _without_password(url: str) -> str:
    """The address with whatever stands between the user's name and the host hidden."""
    scheme, mark, rest = url.partition("://")
    account, at, place = rest.rpartition("@")
    place = place.split("?", 1)[0]
    user = account.split(":", 1)[0]
    return f"{scheme}{mark}{user}{at}{place}"
