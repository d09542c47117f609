"""What the code itself says about its settings, commands, routes, codes and words: the input of the reference and of its tests."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import click

from app import logs, measures, settings
from app.cli import COMMANDS, piying
from app.errors import status_of
from app.factory import create_app
from privacy import errors
from tests.contracts.tree import ROOT, modules, parsed

# ── settings ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────

_ALIASES = {"privacy": ("privacy", "private"), "retention": ("retention", "kept")}
_THROUGH_PROPERTIES = frozenset({"vault", "platform", "lake", "keys"})
"""Groups whose settings are read through the properties of `Settings`, in the same module."""
_ONLY_SHOWN = ("app.settings", "app.facts", "app.reading", "app.accountability.register")
"""Modules that show settings to people and do nothing by them."""


def setting_keys() -> list[str]:
    return [key for key, *_ in settings._known()]


def in_force(key: str) -> bool:
    """Whether any module does something by a setting; some are declared before the part that will read them."""
    group, _, name = key.rpartition(".")
    if group in _THROUGH_PROPERTIES:
        return True
    holders = "|".join(_ALIASES.get(group, (group or "settings",)))
    pattern = re.compile(rf"\b(?:{holders})\.{name}\b")
    return any(pattern.search(path.read_text("utf-8")) for module, path in modules("app") if module not in _ONLY_SHOWN)


# ── commands ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def commands() -> dict[str, click.Command]:
    """`source add` → its command, subcommands included, in the order of the help page."""
    context = click.Context(piying)
    found: dict[str, click.Command] = {}
    for name in COMMANDS:
        command = piying.get_command(context, name)
        assert command is not None
        found |= dict(_inside(name, command))
    return found


def _inside(name: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    yield name, command
    if isinstance(command, click.Group):
        for inner, one in command.commands.items():
            yield from _inside(f"{name} {inner}", one)


# ── routes ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def routes() -> list[tuple[str, str, str]]:
    """(method, path, permission) of every route of ours; "public" and "write_key" stand for no permission."""
    facts = {"settings": settings.Settings(ROOT), "base_url": "", "console_secret": lambda part: b"x" * 32}
    app = create_app(cast(Any, SimpleNamespace(**facts)))
    found = []
    for rule in app.url_map.iter_rules():
        permission = getattr(app.view_functions[rule.endpoint], "permission", "public" if "openapi" in rule.rule else "?")
        found += [(method, rule.rule, permission) for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})]
    return sorted(found, key=lambda route: (route[1], route[0]))


# ── error codes ────────────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class Code:
    """One stable code: what its errors say, and the HTTP status they get; None for what never reaches HTTP."""

    says: list[str] = field(default_factory=list)
    status: set[int] = field(default_factory=set)


FAMILY = {name: kind for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, errors.PiyingError)}


def codes() -> dict[str, Code]:
    """Every code that the source raises or returns, found by its syntax."""
    found: dict[str, Code] = {}
    for name, kind in FAMILY.items():
        if name != "PiyingError":
            _note(found, kind.code, kind, (kind.__doc__ or "").split("\n")[0])
    for module, path in modules():
        for call in (node for node in ast.walk(parsed(path)) if isinstance(node, ast.Call)):
            raises = FAMILY.get(_last(call.func))
            for keyword in call.keywords:
                if keyword.arg in ("code", "error_code"):
                    raised, says = _texts(keyword.value), _texts(call.args[0]) if call.args else []
                    for place, code in enumerate(raised):
                        if not code:
                            continue  # a column that keeps no code any more
                        _note(found, code, raises, says[place] if len(says) == len(raised) else "".join(says[:1]))
            if module == "app.errors" and _last(call.func) == "problem" and len(call.args) > 1:
                for code in _texts(call.args[1]):
                    _note(found, code, None, _texts(call.args[2])[0] if len(call.args) > 2 and _texts(call.args[2]) else "")
    from app import stores

    for _, code, message, _ in stores._SQLITE_FAULTS:
        _note(found, code, errors.Unavailable, message)
    for code, message, _ in stores._POSTGRES_FAULTS.values():
        _note(found, code, errors.Unavailable, message)
    return dict(sorted(found.items()))


def _note(found: dict[str, Code], code: str, kind: type[errors.PiyingError] | None, says: str) -> None:
    entry = found.setdefault(code, Code())
    if says and says not in entry.says:
        entry.says.append(says)
    if kind is not None:
        entry.status.add(status_of(kind("", code=code)))


def _texts(node: ast.expr) -> list[str]:
    """The texts that an expression may be, with `…` for what is put into them."""
    if isinstance(node, ast.Constant):
        return [node.value] if isinstance(node.value, str) else []
    if isinstance(node, ast.JoinedStr):
        return ["".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)]
    if isinstance(node, ast.IfExp):
        return [*_texts(node.body), *_texts(node.orelse)]
    return []


def _last(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


# ── words ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def used(enum: str) -> set[str]:
    """Members of an enum of `privacy.vocabulary` that any other module names: `Reason.MINOR` → MINOR."""
    found = set()
    for module, path in modules():
        if module != "privacy.vocabulary":
            for node in ast.walk(parsed(path)):
                if isinstance(node, ast.Attribute) and _last(node.value) == enum:
                    found.add(node.attr)
    return found


def actions() -> dict[str, set[str]]:
    """Log kind → the actions that are logged under it."""
    found: dict[str, set[str]] = {}
    for _, path in modules():
        constants = dict(_constants(parsed(path)))
        for call in (node for node in ast.walk(parsed(path)) if isinstance(node, ast.Call)):
            for place, argument in enumerate(call.args[:-1]):
                if isinstance(argument, ast.Attribute) and _last(argument.value) == "LogKind":
                    name = call.args[place + 1]
                    texts = [constants[name.id]] if isinstance(name, ast.Name) and name.id in constants else _texts(name)
                    found.setdefault(argument.attr, set()).update(texts)
    return found


def _constants(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Texts that a module names at its top, alone or several at once."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            target, value = node.targets[0], node.value
            pairs = (
                zip(target.elts, value.elts, strict=False)
                if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple)
                else [(target, value)]
            )
            for one, text in pairs:
                if isinstance(one, ast.Name) and isinstance(text, ast.Constant) and isinstance(text.value, str):
                    yield one.id, text.value


def metrics() -> list[tuple[str, str, str, tuple[str, ...]]]:
    """(name, type, labels, meaning) of every metric."""
    found = []
    for collector in vars(logs).values():
        if hasattr(collector, "describe") and hasattr(collector, "_labelnames"):
            (metric,) = collector.describe()
            name = metric.name + ("_total" if metric.type == "counter" else "")
            found.append((name, metric.type, metric.documentation, tuple(collector._labelnames)))
    found += [(name, "gauge", meaning, labels) for name, (meaning, labels) in measures.MEASURES.items()]
    return sorted(found)


def document(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")
