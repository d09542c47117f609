"""The tree against the vectors of the transparency-log world and against its own definition."""

from __future__ import annotations

import base64
import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privacy.audit import merkle

DATA = Path(os.environ.get("PIYING_TEST_DATA", Path(__file__).parents[5] / "shared" / "data")) / "conformance"
needs_vectors = pytest.mark.skipif(not DATA.is_dir(), reason="the conformance vectors are not here: set PIYING_TEST_DATA")


def _bytes(text: str | None) -> bytes:
    return base64.b64decode(text) if text else b""


def _verdict(case: dict[str, Any]) -> bool:
    proof = [_bytes(part) for part in case["proof"] or []]
    if case["kind"] == "inclusion":
        return merkle.verify_inclusion(_bytes(case["leafHash"]), case["leafIdx"], case["treeSize"], proof, _bytes(case["root"]))
    if case["kind"] == "consistency":
        return merkle.verify_consistency(case["size1"], case["size2"], proof, _bytes(case["root1"]), _bytes(case["root2"]))
    if case["kind"] == "subtreeinclusion":
        leaf, root = _bytes(case["leafHash"]), _bytes(case["root"])
        return merkle.verify_subtree_inclusion(leaf, case["leafIdx"], case["start"], case["end"], proof, root)
    assert case["kind"] == "subtreeconsistency"
    roots = _bytes(case["root1"]), _bytes(case["root2"])
    return merkle.verify_subtree_consistency(case["start"], case["end"], case["size"], proof, *roots)


def _tree(count: int) -> tuple[list[bytes], dict[merkle.NodeId, bytes]]:
    """Leaf hashes and every stored subtree of a tree grown one leaf at a time."""
    hashes = [merkle.leaf_hash(number.to_bytes(4, "big")) for number in range(count)]
    stored = {merkle.NodeId(0, number): digest for number, digest in enumerate(hashes)}
    frontier: tuple[bytes, ...] = ()
    for size, digest in enumerate(hashes):
        growth = merkle.grow(frontier, size, [digest])
        stored |= {merkle.NodeId(node.level, node.position): node.hash for node in growth.nodes}
        frontier = growth.frontier
    return hashes, stored


@needs_vectors
def test_every_published_proof_gets_the_published_verdict() -> None:
    with gzip.open(DATA / "rfc6962_merkle_vectors.jsonl.gz", "rt", encoding="utf-8") as lines:
        cases = [json.loads(line) for line in lines]
    assert len(cases) >= 259
    wrong = [(case["kind"], case["desc"], case["path"]) for case in cases if _verdict(case) == case["wantErr"]]
    assert wrong == []


@needs_vectors
def test_every_published_root_is_reached_by_all_three_ways_of_building() -> None:
    for case in json.loads((DATA / "rfc6962_roots.json").read_text()):
        leaves = [bytes.fromhex(leaf) for leaf in case["leaves_hex"]]
        hashes = [merkle.leaf_hash(leaf) for leaf in leaves]
        grown = merkle.grow((), 0, hashes)
        assert {merkle.root_of(leaves), merkle.root_of_hashes(hashes), merkle.frontier_root(grown.frontier)} == {
            bytes.fromhex(case["root_hex"])
        }


def test_the_root_follows_the_definition_for_every_size_to_130() -> None:
    def definition(hashes: list[bytes]) -> bytes:
        if len(hashes) == 1:
            return hashes[0]
        split = 1
        while split * 2 < len(hashes):
            split *= 2
        return merkle.node_hash(definition(hashes[:split]), definition(hashes[split:]))

    hashes, _ = _tree(130)
    for size in range(1, 131):
        assert merkle.root_of_hashes(hashes[:size]) == definition(hashes[:size])


def test_every_proof_of_every_tree_to_40_leaves_verifies_and_no_other_claim_does() -> None:
    hashes, stored = _tree(40)
    roots = [merkle.root_of_hashes(hashes[:size]) for size in range(41)]
    for size in range(1, 41):
        for index in range(size):
            proof = merkle.assemble(merkle.inclusion_needs(index, size), stored)
            assert merkle.verify_inclusion(hashes[index], index, size, proof, roots[size])
            assert not merkle.verify_inclusion(hashes[index], (index + 1) % size, size, proof, roots[size]) or size == 1
            assert not merkle.verify_inclusion(hashes[index], index, size, proof, roots[size - 1])
        for first in range(1, size + 1):
            proof = merkle.assemble(merkle.consistency_needs(first, size), stored)
            assert merkle.verify_consistency(first, size, proof, roots[first], roots[size])
            assert not merkle.verify_consistency(first, size, proof, roots[first - 1], roots[size])


def test_growing_in_batches_of_any_size_is_growing_one_by_one() -> None:
    hashes, stored = _tree(70)
    for step in (1, 2, 3, 7, 64, 70):
        frontier: tuple[bytes, ...] = ()
        size = 0
        nodes: list[merkle.Node] = []
        while size < 70:
            growth = merkle.grow(frontier, size, hashes[size : size + step])
            frontier, size = growth.frontier, growth.size
            nodes += growth.nodes
        assert {merkle.NodeId(node.level, node.position): node.hash for node in nodes} == {
            key: value for key, value in stored.items() if key.level
        }
        assert merkle.frontier_root(frontier) == merkle.root_of_hashes(hashes)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.binary(max_size=40), min_size=1, max_size=64), st.data())
def test_no_change_of_any_leaf_keeps_the_root(leaves: list[bytes], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(leaves) - 1))
    other = data.draw(st.binary(max_size=40).filter(lambda value: value != leaves[index]))
    assert merkle.root_of(leaves) != merkle.root_of([*leaves[:index], other, *leaves[index + 1 :]])


def test_a_leaf_is_never_taken_for_an_inner_node() -> None:
    left, right = merkle.leaf_hash(b"a"), merkle.leaf_hash(b"b")
    assert merkle.leaf_hash(left + right) != merkle.node_hash(left, right)
    assert merkle.root_of([left + right]) != merkle.root_of([b"a", b"b"])


def test_hashes_of_another_length_prove_nothing() -> None:
    hashes, stored = _tree(5)
    proof = merkle.assemble(merkle.inclusion_needs(2, 5), stored)
    root = merkle.root_of_hashes(hashes)
    assert not merkle.verify_inclusion(hashes[2], 2, 5, [proof[0] + b"\0", *proof[1:]], root)
    assert not merkle.verify_inclusion(hashes[2], 2, 5, proof[:-1], root)
    assert not merkle.verify_inclusion(hashes[2], 2, 5, [*proof, proof[0]], root)


def test_a_proof_of_what_does_not_exist_is_not_made() -> None:
    for index, size in ((-1, 3), (3, 3), (0, 0)):
        with pytest.raises(ValueError):
            merkle.inclusion_needs(index, size)
    for first, second in ((0, 3), (4, 3), (-1, 2)):
        with pytest.raises(ValueError):
            merkle.consistency_needs(first, second)
    with pytest.raises(ValueError):
        merkle.grow((merkle.EMPTY_ROOT,), 3, [])
