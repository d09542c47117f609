"""The console's sentences as code and templates hold them, and as catalogues translate them.

Run as a module it prints what has no translation yet, ready for a catalogue.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import polib
from babel.messages.extract import extract
from jinja2.ext import babel_extract

from tests.contracts.tree import ROOT

CONSOLE = ROOT / "app" / "console"
FOLDER = CONSOLE / "translations" / "zh_Hans_CN"
KEYWORDS = {"_": None, "N_": None, "gettext": None, "lazy_gettext": None, "ngettext": (1, 2)}

Sentence = tuple[str, ...]
"""A sentence, or its singular and plural."""


@cache
def sentences() -> dict[Sentence, str]:
    """Every sentence that somebody may see, and where it stands first."""
    found: dict[Sentence, str] = {}
    for path, sentence in _extracted():
        found.setdefault(sentence, path.relative_to(ROOT).as_posix())
    return found


def _extracted() -> Iterator[tuple[Path, Sentence]]:
    for path in sorted([*CONSOLE.rglob("*.py"), *CONSOLE.rglob("templates/**/*.html"), *(ROOT / "app" / "figures").rglob("*.py")]):
        with path.open("rb") as file:
            method = "python" if path.suffix == ".py" else babel_extract
            for _line, message, _comments, _context in extract(method, file, KEYWORDS, options={"silent": "false"}):
                yield path, (message,) if isinstance(message, str) else tuple(one for one in message if one)


@cache
def catalogues() -> dict[str, polib.POFile]:
    """File name → catalogue."""
    return {path.name: polib.pofile(str(path)) for path in sorted(FOLDER.glob("*.po"))}


def entries() -> Iterator[tuple[str, Sentence, polib.POEntry]]:
    """(file, sentence, entry) of everything translated."""
    for name, catalogue in catalogues().items():
        for entry in catalogue:
            if not entry.obsolete:
                yield name, (entry.msgid, entry.msgid_plural) if entry.msgid_plural else (entry.msgid,), entry


def placeholders(text: str) -> set[str]:
    """The names that a sentence is filled with."""
    return set(re.findall(r"%\(\w+\)[sd]|%%", text))


def missing() -> dict[Sentence, str]:
    """Sentences without a translation, and where they stand. A plural also serves its singular."""
    told = {sentence for _, sentence, entry in entries() if entry.msgstr or any(entry.msgstr_plural.values())}
    return {sentence: place for sentence, place in sentences().items() if sentence not in told}


def main() -> None:
    """Prints the missing ones as entries of a catalogue."""
    for sentence, place in missing().items():
        entry = polib.POEntry(msgid=sentence[0], occurrences=[(place, "")])
        if len(sentence) > 1:
            entry.msgid_plural, entry.msgstr_plural = sentence[1], {0: ""}
        sys.stdout.write(f"{entry}\n")


if __name__ == "__main__":
    main()
