"""Pictures: named, described, without style or script, drawn once; the script for browsers is made once."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest

from app.figures import drawing, specs
from app.figures.specs import Look
from tests.fakes.documents import CHINESE, ENGLISH, FUNNEL, MONTHS, SEGMENTS, STORES


@pytest.mark.parametrize("document", [STORES, SEGMENTS, FUNNEL, MONTHS])
def test_a_picture_is_named_and_has_nothing_that_the_policy_blocks(document: dict[str, Any]) -> None:
    measure = specs.measures(document)[0]
    svg = drawing.draw(specs.spec(document, measure, CHINESE, Look("dark")), title="一 <b> & 二", description="三")
    root = ElementTree.fromstring(svg)
    assert (root.get("role"), root.get("aria-labelledby")) == ("img", "figure-title figure-description")
    names = [child.tag.rpartition("}")[2] for child in root]
    assert names[:2] == ["title", "desc"]
    assert root[0].text == "一 <b> & 二"
    for element in root.iter():
        assert "style" not in element.attrib
        assert element.tag.rpartition("}")[2] not in ("script", "style", "foreignObject", "a", "image")
        assert not any(name.startswith("on") for name in element.attrib)


def test_a_picture_is_drawn_once_while_it_is_kept() -> None:
    drawn: list[int] = []

    def spec() -> dict[str, Any]:
        drawn.append(1)
        return specs.spec(FUNNEL, "people", ENGLISH, Look())

    kept = drawing.Drawings(kept=1)
    first = kept.svg("a", spec, title="t", description="d")
    assert kept.svg("a", spec, title="t", description="d") == first
    assert len(drawn) == 1
    kept.svg("b", spec, title="t", description="d")
    kept.svg("a", spec, title="t", description="d")
    assert len(drawn) == 3, "the oldest goes when there is no room"


def test_no_file_and_no_address_is_read_while_drawing() -> None:
    spec = specs.spec(FUNNEL, "people", ENGLISH, Look()) | {"data": {"url": "https://example.org/data.json"}}
    spec.pop("datasets")
    with pytest.raises(ValueError):
        drawing.draw(spec, title="t", description="d")


def test_the_script_is_made_once_and_then_read(tmp_path: Path) -> None:
    path = tmp_path / f"charts-{drawing.script_version()}.js"
    path.write_bytes(b"kept")
    assert drawing.script(tmp_path) == b"kept"
