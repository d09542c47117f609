"""Writes docs/reference.md from the code: `python -m tests.contracts.reference > docs/reference.md`. A test tells when the file is stale."""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import click

from analytics.reports.kinds import KINDS
from app import access, settings
from app.doctor import CHECKS
from app.wiring import Services
from privacy.consent import registry
from privacy.dictionary import catalogue
from privacy.identity import keys
from privacy.vocabulary import IDENTIFIER_LIMITS, NAMESPACED_TYPES, STRONG_TYPES, FormRule, LogKind, Reason, Verdict
from tests.contracts import collect, words

HEAD = """# Reference

Written from the code by `python -m tests.contracts.reference > docs/reference.md`; a test says when it is stale. The [manual](manual.md) explains how
things hang together.
"""


def page() -> str:
    """The whole reference."""
    parts = [
        HEAD,
        _settings(),
        _commands(),
        _routes(),
        _permissions(),
        _codes(),
        _verdicts(),
        _metrics(),
        _log(),
        _running(),
        _reports(),
        _purposes(),
    ]
    return "\n".join([*parts, _dictionary(), _tables()])


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    lines = [" | ".join(columns), " | ".join("---" for _ in columns)]
    lines += [" | ".join(str(cell).replace("|", "\\|").replace("\n", " ") for cell in row) for row in rows]
    return "\n".join(f"| {line} |" for line in lines) + "\n"


def plain(text: str) -> str:
    """Without the marks by which the source refers to its design papers; articles of law stay."""
    return re.sub(r" ?\((?:DESIGN|SHAPES|dp|law_rules|[A-Z]-\d)[^)]*\)|, [A-Z]-\d+(?=\))", "", text)


def code(text: str) -> str:
    return f"`{text}`" if text else ""


# ── settings, commands ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _settings() -> str:
    rows = []
    for key, _, spec, _ in settings._known():
        facts = spec.metadata
        default = ",".join(spec.default) if isinstance(spec.default, tuple) else str(spec.default)
        bounds = f"{facts['least']} to {facts['most']}" if facts["most"] is not None else " or ".join(facts["among"] or ())
        reason = words.SETTINGS.get(key) or plain(facts["reason"])
        if not collect.in_force(key):
            reason = f"{words.NOT_IN_FORCE} {words.SETTINGS_FIXED.get(key, '')}".strip()
        rows.append([code(key), code(default), facts["unit"], bounds, reason])
    text = (
        "## Settings\n\n"
        "In `piying.toml` in the home folder, `[group]` and `name`; the environment goes before: `server.port` is `PIYING_SERVER_PORT`, lists with"
        " commas. An unknown key, or a value outside its limits, stops the program.\n\n"
    )
    others = table(["Variable", "What for"], [[code(name), what] for name, what in words.VARIABLES.items()])
    return text + table(["Setting", "Default", "Unit", "Allowed", "Reason of the default"], rows) + "\nNot settings:\n\n" + others


def _commands() -> str:
    sections = []
    for name, command in collect.commands().items():
        if isinstance(command, click.Group):
            continue
        usage = [f"piying {name}", *(_usage(one) for one in command.params)]
        lines = [f"### {name}\n", f"`{' '.join(part for part in usage if part)}`\n", f"{(command.help or '').strip()}\n"]
        options = [(one, one.help) for one in command.params if isinstance(one, click.Option) and one.help and one.name != "json_"]
        lines.append("\n".join(f"- `{_flag(option)}`: {text}" for option, text in options) + "\n")
        sections.append("\n".join(lines))
    head = (
        "## Commands\n\n"
        'Exit 0: done. 1: refused or failed; one line on stderr, with `--json` an object `{"code", "message"}`. 2: wrong usage.\n\n'
    )
    return head + "\n".join(sections)


def _usage(one: click.Parameter) -> str:
    if isinstance(one, click.Argument):
        return (one.name or "").rstrip("_").upper()
    choices = "|".join(one.type.choices) if isinstance(one.type, click.Choice) else (one.name or "").rstrip("_").upper()
    flag = isinstance(one, click.Option) and one.is_flag
    text = _flag(one) if flag else f"{_flag(one)} {choices}"
    text += " …" if one.multiple else ""
    return text if one.required else f"[{text}]"


def _flag(one: click.Parameter) -> str:
    return "/".join([*one.opts, *one.secondary_opts])


def _routes() -> str:
    opened = {"public": "anybody", "write_key": "a source's write key"}
    rows = [[method, code(path), opened.get(permission, code(permission))] for method, path, permission in collect.routes()]
    return "## Routes\n\n" + table(["Method", "Path", "Opened by"], rows)


def _permissions() -> str:
    matrix = access.matrix()
    roles = list(tomllib.loads((collect.ROOT / "app" / "permissions.toml").read_text("utf-8")))
    routes = collect.routes()
    rows = []
    for permission in sorted(set().union(*matrix.values())):
        at = ", ".join(f"`{method} {path}`" for method, path, needed in routes if needed == permission) or _elsewhere(permission)
        rows.append([code(permission), *("yes" if permission in matrix[role] else "" for role in roles), at])
    text = """## Permissions by role

What is not listed is denied. An account has one role; a token carries some or all of its owner's permissions. A permission without a
route is ready for a part that is not there yet. Commands ask for no permission: whoever may read the home folder may run them.

"""
    return text + table(["Permission", *roles, "Where it is asked for"], rows)


def _elsewhere(permission: str) -> str:
    """Where a permission is asked for inside a view."""
    files = [
        path for module, path in collect.modules("app") if module.startswith("app.api.") and f'"{permission}"' in path.read_text("utf-8")
    ]
    return (
        "inside " + ", ".join(code(str(Path("/v1") / path.stem if path.stem == "consents" else Path("/api") / path.stem)) for path in files)
        if files
        else "no route yet"
    )


# ── codes and words ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _codes() -> str:
    rows = []
    for name, entry in collect.codes().items():
        says = [words.CODES[name]] if name in words.CODES else entry.says
        status = {500} if name == "internal" else entry.status
        rows.append([code(name), ", ".join(map(str, sorted(status))), plain("; ".join(says[:2]))])
    text = """## Error codes

Codes last; messages may change. Over HTTP an error is a problem document (RFC 9457) with `code`, `message` and `request_id`; statuses 429
and 503 come with `Retry-After`. A route or method that is not there has the code of its HTTP name, such as `method_not_allowed`. Codes
without a status are those of `piying doctor` and of jobs.

"""
    return text + table(["Code", "HTTP", "Says"], rows)


def _verdicts() -> str:
    unused = {enum: set(kind.__members__) - collect.used(enum) for enum, kind in (("Reason", Reason), ("FormRule", FormRule))}

    def rows(kind: Any, enum: str, meanings: dict[str, str]) -> list[list[str]]:
        return [
            [code(one.value), meanings[one.value] + (" Not told by any part yet." if one.name in unused.get(enum, ()) else "")]
            for one in kind
        ]

    return "\n".join(
        [
            "## Verdicts\n\nOf every item, always: received = stored + duplicate + quarantined + refused.\n",
            table(["Verdict", "Means"], rows(Verdict, "Verdict", words.VERDICTS)),
            "### Reasons of a refusal\n",
            table(["Reason", "Means"], rows(Reason, "Reason", words.REASONS)),
            "### Rules of form\n",
            table(["Rule", "Broken when"], rows(FormRule, "FormRule", words.FORM_RULES)),
        ]
    )


def _metrics() -> str:
    rows = [[code(name), kind, ", ".join(labels), meaning] for name, kind, meaning, labels in collect.metrics()]
    return (
        "## Metrics\n\n`/metrics`: counters of all processes of one server since its start; gauges as the stores stand when it is asked.\n\n"
        + table(["Metric", "Type", "Labels", "Means"], rows)
    )


def _log() -> str:
    known = collect.actions()
    rows = [
        [code(one.value), words.LOG_KINDS[one.value], ", ".join(code(action) for action in sorted(known.get(one.name, ()))) or "none yet"]
        for one in LogKind
    ]
    return "## Kinds of log entries\n\n" + table(["Kind", "Holds", "Actions"], rows)


# ── what runs ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _running() -> str:
    jobs = [
        [code(kind), f"every {Services.schedule[kind]} s" if kind in Services.schedule else "when asked", what]
        for kind, what in words.JOBS.items()
    ]
    kinds = [[code(kind), words.KEYS[kind], "yes" if kind in keys.ROTATABLE else "no"] for kind in keys.KINDS]
    return "\n".join(
        [
            "## Jobs\n",
            table(["Kind", "When", "What it does"], jobs),
            "## Checks of `piying doctor`\n",
            table(["Check", "Well when"], [[name, words.CHECKS[name]] for name in CHECKS]),
            "## Keys\n",
            table(["Kind", "What for", "Can be rotated"], kinds),
        ]
    )


def _reports() -> str:
    rows = [
        [
            code(one.kind.replace("_", "-")),
            ", ".join(measure.name for measure in one.measures),
            one.months or ("1" if one.needs_close else "any"),
            one.bounds.clip,
            f"{one.rho_nano:,}",
            ", ".join(one.groups),
            ", ".join(one.filters),
            ", ".join(f"{name} ({said.default or 'to be named'})" for name, said in one.parameters.items()),
        ]
        for one in KINDS.values()
    ]
    heads = ["Report", "Counts", "Months", "Clip", "Price in nano-rho", "Group by", "Filter by", "Parameters"]
    return "## Reports\n\n" + table(heads, rows)


def _purposes() -> str:
    first = [
        [
            code(one.key),
            ", ".join(f"{where}: {ground}" for where, ground in one.grounds.items()),
            "yes" if one.analytic else "",
            one.name["en"],
            one.name["zh"],
        ]
        for one in registry.first_purposes()
    ]
    types = [
        [
            code(one.value),
            "strong" if one in STRONG_TYPES else "weak",
            "the source's namespace" if one in NAMESPACED_TYPES else "everywhere",
            limit,
        ]
        for one, limit in IDENTIFIER_LIMITS.items()
    ]
    return "\n".join(
        [
            "## Purposes at first start\n",
            table(["Purpose", "Ground", "Opens the lake", "Name", "名称"], first),
            "## Identifier types\n",
            table(["Type", "Linking", "Means the same in", "At most per person"], types),
        ]
    )


# ── dictionary ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _dictionary() -> str:
    parts = [
        "## Dictionary: records\n\nWhat a source may send. A field that is not here is dropped and counted. `*` marks a field that must be there.\n"
    ]
    for record in catalogue.load().records.values():
        about = "about people" if record.people else "without people"
        named = f" Identifiers: {', '.join(map(code, record.identifiers))}." if record.identifiers else ""
        parts.append(f"### Record {code(record.name)}\n\n{record.meaning_en} ({about}). {record.meaning_zh}。{named}\n")
        parts.append(
            table(["Field", "Type", "Class", "Becomes", "Accepted", "Meaning", "含义"], [_field(one) for one in record.fields.values()])
        )
    return "\n".join(parts)


def _field(one: catalogue.Field) -> list[str]:
    becomes = ", ".join(f"`{to.table}.{to.column}` ({to.treatment})" for to in one.becomes) or "dropped"
    rules = [f"{one.input.min} to {one.input.max}"] if one.input.max is not None or one.input.min is not None else []
    rules += [f"up to {one.input.max_length} characters"] if one.input.max_length and not one.input.values else []
    rules += [code(one.input.pattern)] if one.input.pattern else []
    rules += [", ".join(one.input.values)] if one.input.values else []
    unit = f", {one.unit}" if one.unit and one.unit.split()[0].lower() not in one.type else ""
    return [
        code(one.name) + ("*" if one.input.required else ""),
        one.type + unit,
        one.class_,
        becomes,
        "; ".join(rules),
        one.meaning_en,
        one.meaning_zh,
    ]


def _tables() -> str:
    parts = ["## Dictionary: tables of the lake\n"]
    for one in catalogue.load().tables.values():
        about = "about people" if one.people else "without people: exact and free"
        made = " Written at a month's close." if one.made == "close" else ""
        parts.append(f"### Table {code(one.name)}\n\n{one.meaning_en} ({about}).{made} {one.meaning_zh}。\n")
        parts.append(
            table(["Column", "Type", "Meaning", "含义"], [[code(c.name), c.type, c.meaning_en, c.meaning_zh] for c in one.columns.values()])
        )
    return "\n".join(parts)


if __name__ == "__main__":
    sys.stdout.write(page())
