"""The audit pack: what a compliance audit asks, answered out of a range of the log, signed, the same bytes every time.

Promise: first the state of the house is written down as a paper (a snapshot with its own entry); the pack is then made of nothing but the log up to
an entry and the papers written before it, so that whoever asks for the same range gets the same bytes, today and in three years. Handing a pack
out is an export in the log. It holds counts, papers, commitments and times; never a payload, never a person.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from privacy.accountability import dossiers, packing
from privacy.accountability.auditpoints import Point, points
from privacy.audit import merkle, reading, touched
from privacy.audit.payload import stamp
from privacy.errors import Invalid, NotFound
from privacy.identity import receiptkeys
from privacy.identity.keys import Keyring
from privacy.oversight.papers import Papers
from privacy.vocabulary import LogKind

TYPE = "audit-pack+jws"
PAPERS = ("recipient", "agreement", "assessment", "incident")
POINT_COLUMNS = (
    "number",
    "title_en",
    "title_zh",
    "law",
    "answer",
    "controls_ok",
    "controls_attention",
    "controls_broken",
    "papers",
    "acts",
)
CONTROL_COLUMNS = ("id", "law", "question", "question_zh", "state", "count", "link")


class Packs(Papers):
    """Snapshots of the house, and packs out of them."""

    kind = "snapshot"

    def __init__(self, *, keyring: Keyring, **shared: Any) -> None:
        super().__init__(**shared)
        self._keyring = keyring

    def take(self, register: Mapping[str, Any], controls: Sequence[Mapping[str, Any]], *, actor: str) -> dict[str, Any]:
        """Writes the present state down; {"pack", "size", "at"}: the pack of the log up to and with that act."""
        with self._begin() as tx:
            made = self._new(tx, {"register": register, "controls": list(controls)}, actor=actor, controls=len(controls))
        return {"pack": name_of(0, made.entry + 1), "size": made.entry + 1, "at": made.at.isoformat()}

    def listing(self) -> list[dict[str, Any]]:
        """The packs that somebody took, newest first, without their contents."""
        with self._read() as tx:
            found = dossiers.listing(tx, self.kind)
        return [
            {"pack": name_of(0, one.entry + 1), "at": one.at.isoformat(), "by": one.by, "size": one.entry + 1} for one in reversed(found)
        ]

    def file(self, name: str, *, actor: str) -> bytes:
        """The pack of a range of the log, as a ZIP; its handing out is logged first."""
        first, size = range_of(name)
        with self._begin() as tx:
            self._log(tx, LogKind.EXPORT, "audit.pack", actor=actor, facts={"first": first, "size": size})
        with self._read() as tx:
            return self._made(tx, first, size)

    def _made(self, tx: sa.Connection, first: int, size: int) -> bytes:
        at = touched.instant_of(tx, size - 1)
        snapshots = dossiers.listing(tx, self.kind, before_entry=size)
        if at is None or not snapshots:
            raise NotFound("no snapshot stands in this range of the log", code="pack_unknown", field="pack")
        state = snapshots[-1].content
        papers = {kind: [one.document() for one in dossiers.listing(tx, kind, before_entry=size)] for kind in PAPERS}
        acts = touched.acts_of_range(tx, first, size)
        answers = [self._answer(tx, point, state, papers, acts, first, size) for point in points()]
        tiles = merkle.tiles(0, size)
        hashes = reading.subtrees(tx, tiles)
        root = merkle.frontier_root([hashes[node] for node in tiles])
        files = {
            "README.md": _readme(state, answers, first, size, stamp(at)).encode(),
            "points.json": packing.as_json(answers),
            "points.csv": packing.as_csv(POINT_COLUMNS, [_row(one) for one in answers]),
            "controls.json": packing.as_json(state["controls"]),
            "controls.csv": packing.as_csv(CONTROL_COLUMNS, state["controls"]),
            "register.json": packing.as_json(state["register"]),
            "log.json": packing.as_json([{"kind": kind, "act": act, "number": number} for kind, act, number in acts]),
            **{f"papers/{kind}.json": packing.as_json(found) for kind, found in papers.items()},
        }
        about = {
            "controller": state["register"].get("controller", {}),
            "range": {"first": first, "size": size, "until": stamp(at), "root": root.hex()},
            "snapshot": snapshots[-1].id,
        }
        manifest = packing.manifest(files, about)
        signature = receiptkeys.sign(self._keyring, manifest, at, type_=TYPE)
        keys = {"keys": [key for key in receiptkeys.public_keys(self._keyring)["keys"] if key["kid"] == receiptkeys.key_of(signature)]}
        signed = {packing.MANIFEST: manifest, packing.SIGNATURE: signature.encode(), packing.KEYS: packing.as_json(keys)}
        return packing.zipped(files | signed)

    def _answer(
        self,
        tx: sa.Connection,
        point: Point,
        state: Mapping[str, Any],
        papers: Mapping[str, Sequence[Mapping[str, Any]]],
        acts: Sequence[tuple[str, str, int]],
        first: int,
        size: int,
    ) -> dict[str, Any]:
        """What the pack says to one point: controls, papers, acts with samples, parts of the register; or why it does not apply."""
        told: dict[str, Any] = {"number": point.number, "title": point.title, "law": point.law}
        if point.not_applicable is not None:
            return told | {"answer": "not_applicable", "why": point.not_applicable}
        controls = [one for one in state["controls"] if one["id"] in point.controls]
        counted = {prefix: sum(number for _, act, number in acts if act.startswith(prefix)) for prefix in point.acts}
        return told | {
            "answer": "evidence",
            "controls": controls,
            "exceptions": [one["id"] for one in controls if one["state"] != "ok"],
            "papers": {kind: [one["id"] for one in papers[kind]] for kind in point.papers},
            "acts": counted,
            "samples": [sample for prefix in point.acts for sample in touched.samples(tx, first, size, prefix)],
            "register": list(point.parts),
        }


def check(raw: bytes, keys: str) -> dict[str, Any]:
    """{"ok", "reason", "range"}: whether a pack is whole and its manifest signed by one of these published keys."""
    try:
        files = packing.unzipped(raw)
        signed = receiptkeys.opened(files[packing.SIGNATURE].decode(), json.loads(keys), type_=TYPE)
    except (ValueError, KeyError, OSError) as error:
        return {"ok": False, "reason": "form" if isinstance(error, KeyError) else "unreadable", "range": None}
    if signed is None or signed != files.get(packing.MANIFEST):
        return {"ok": False, "reason": "signature", "range": None}
    about = json.loads(signed)["range"]
    wrong = packing.differing(files)
    return {"ok": not wrong, "reason": f"differs: {', '.join(wrong)}" if wrong else "", "range": about}


def name_of(first: int, size: int) -> str:
    """The name of a pack: its range of the log."""
    return f"{first}-{size}"


def range_of(name: str) -> tuple[int, int]:
    """The range that a name means; raises Invalid."""
    first, _, size = name.partition("-")
    if not all(part.isascii() and part.isdigit() and len(part) <= 15 for part in (first, size)) or not int(first) < int(size):
        raise Invalid("a pack is named by its range of the log", code="pack_invalid", field="pack")
    return int(first), int(size)


def _row(answer: Mapping[str, Any]) -> dict[str, Any]:
    states = [one["state"] for one in answer.get("controls", ())]
    return {
        "number": answer["number"],
        "title_en": answer["title"]["en"],
        "title_zh": answer["title"]["zh"],
        "law": answer["law"],
        "answer": answer["answer"],
        **{f"controls_{state}": states.count(state) for state in ("ok", "attention", "broken")},
        "papers": sum(len(ids) for ids in answer.get("papers", {}).values()),
        "acts": sum(answer.get("acts", {}).values()),
    }


def _readme(state: Mapping[str, Any], answers: Sequence[Mapping[str, Any]], first: int, size: int, until: str) -> str:
    """The pack for people, in both languages."""
    controller = state["register"].get("controller", {})
    lines = [
        "# Audit pack · 合规审计证据包",
        "",
        f"{controller.get('name', '')} · log entries {first} to {size - 1} · 日志条目 {first} 至 {size - 1} · {until}",
        "",
        "Every file and its SHA-256 stand in `manifest.json`; `manifest.jws` is the same text, signed (Ed25519, RFC 7515). Compare the key in",
        "`jwks.json` with the published one before believing it. The same range gives the same bytes again.",
        "",
        "所有文件及其 SHA-256 列于 `manifest.json`；`manifest.jws` 为其签名文本（Ed25519，RFC 7515）。",
        "请先将 `jwks.json` 与公开的公钥核对。同一日志范围重新生成，字节完全一致。",
        "",
    ]
    for one in answers:
        lines += [f"## {one['number']}. {one['title']['zh']}", "", f"{one['title']['en']} ({one['law']})", ""]
        if one["answer"] == "not_applicable":
            lines += [f"- 不适用：{one['why']['zh']}", f"- Not applicable: {one['why']['en']}", ""]
            continue
        lines += [
            f"- {control['state']} · `{control['id']}` · {control['question_zh']} / {control['question']} ({control['count']})"
            for control in one["controls"]
        ]
        lines += [f"- {kind}: {len(ids)}" for kind, ids in one["papers"].items()]
        lines += [f"- `{prefix}*`: {number}" for prefix, number in one["acts"].items()]
        lines += [f"- register.json: {part}" for part in one["register"]]
        lines.append("")
    return "\n".join(lines) + "\n"
