"""`piying import` and the commands below it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.app.commands import run, told

STORES = 'record = "store"\n[fields]\nid = "店号"\nname = "店名"\n'


@pytest.fixture
def shop(home: Path, tmp_path: Path) -> tuple[Path, Path, Path]:
    """A home with a source of files, a file of stores with one bad row, and its mapping."""
    told(home, "source", "add", "files-erp", "--kind", "file")
    file, mapping = tmp_path / "stores.csv", tmp_path / "stores.toml"
    file.write_text("店号,店名\nS1,甲\nS2,乙\nS3\n", encoding="gb18030")
    mapping.write_text(STORES + "\n", encoding="utf-8")
    return home, file, mapping


def test_a_file_is_guessed_tried_imported_listed_and_taken_back(shop: tuple[Path, Path, Path], tmp_path: Path) -> None:
    home, file, mapping = shop
    words = ("--source", "files-erp")
    guessed = told(home, "import", "guess", str(file), *words)
    assert (guessed["record"], guessed["complete"]) == ("store", True)
    assert 'encoding  = "gb18030"' in guessed["mapping"]
    mapping.write_text(guessed["mapping"], encoding="utf-8")
    tried = told(home, "import", str(file), *words, "--mapping", str(mapping), "--dry-run")
    assert (tried["received"], tried["valid"], tried["errors"]) == (3, 2, [{"row": 3, "path": "", "rule": "not_an_object"}])
    errors = tmp_path / "errors.csv"
    done = told(home, "import", str(file), *words, "--mapping", str(mapping), "--errors", str(errors))
    assert (done["received"], done["stored"], done["quarantined"]) == (3, 2, 1)
    assert errors.read_text("utf-8") == "row,path,rule\n3,,not_an_object\n"
    listed = told(home, "import", "list")["items"]
    assert (listed[0]["import"], listed[0]["state"]) == (done["import"], "done")
    undone = told(home, "import", "undo", done["import"])
    assert (undone["state"], undone["items"], undone["consents_kept"]) == ("undone", 2, False)
    again = told(home, "import", str(file), *words, "--mapping", str(mapping))
    assert again["stored"] == 2
    late = run(home, "import", "undo", "imp_nobody", "--json")
    assert (late.code, late.error["code"]) == (1, "import_unknown")


def test_what_an_import_is_without_says_so(home: Path) -> None:
    assert run(home, "import").code == 2
    assert run(home, "import", "none.csv").code == 2
    assert run(home, "import", "guess", "none.csv", "--source", "demo-crm", "--json").error["code"] == "file_unknown"
    assert "undo" in run(home, "import", "--help").out
