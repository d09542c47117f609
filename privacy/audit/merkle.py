"""The Merkle tree of RFC 9162 §2.1 (the tree of RFC 6962): hashes, growth, roots, proofs and their checks.

Promise: pure arithmetic on hashes. It never learns what a leaf says, where nodes are kept or what time it is.
A complete subtree is named (level, position): the hash over leaves position·2^level … (position+1)·2^level − 1. Level 0 is a leaf hash.
Subtrees [start, end) are those of draft-ietf-plants-merkle-tree-certs §4; an ordinary consistency proof is the one for [0, size).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import NamedTuple

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()
_LEAF = b"\x00"
_NODE = b"\x01"


class NodeId(NamedTuple):
    """Where a complete subtree stands."""

    level: int
    position: int


class Node(NamedTuple):
    """A complete subtree and its hash, ready to be stored for ever: growth never changes it."""

    level: int
    position: int
    hash: bytes


class Growth(NamedTuple):
    """What appending leaves brought: the new frontier, the new size and every inner node that became complete, in order."""

    frontier: tuple[bytes, ...]
    size: int
    nodes: tuple[Node, ...]


def leaf_hash(data: bytes) -> bytes:
    return sha256(_LEAF + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(_NODE + left + right).digest()


# ── roots ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The root over leaf *data*, in order; for the per-item verdicts of a batch."""
    return root_of_hashes([sha256(_LEAF + leaf).digest() for leaf in leaves])


def root_of_hashes(hashes: Sequence[bytes]) -> bytes:
    """The root over leaf *hashes*. Pairing level by level and carrying an odd last node up is the RFC's split at the largest power of two."""
    if not hashes:
        return EMPTY_ROOT
    level = list(hashes)
    while len(level) > 1:
        odd = level[-1:] if len(level) % 2 else []
        level = [sha256(_NODE + left + right).digest() for left, right in zip(level[::2], level[1::2], strict=False)] + odd
    return level[0]


def frontier_root(frontier: Sequence[bytes]) -> bytes:
    """The root of a tree from its frontier: complete subtrees from the largest (left) to the smallest (right)."""
    if not frontier:
        return EMPTY_ROOT
    root = frontier[-1]
    for left in reversed(frontier[:-1]):
        root = sha256(_NODE + left + root).digest()
    return root


def grow(frontier: Sequence[bytes], size: int, hashes: Sequence[bytes]) -> Growth:
    """Append leaf hashes to a tree of `size` leaves; the work is that of the new nodes alone."""
    if len(frontier) != size.bit_count():
        raise ValueError("the frontier does not belong to a tree of this size")
    stack = list(frontier)
    nodes: list[Node] = []
    for number, digest in enumerate(hashes, start=size):
        level, carry, current = 0, number, digest
        while carry & 1:
            current = sha256(_NODE + stack.pop() + current).digest()
            level += 1
            carry >>= 1
            nodes.append(Node(level, carry, current))
        stack.append(current)
    return Growth(tuple(stack), size + len(hashes), tuple(nodes))


# ── proofs from stored complete subtrees ───────────────────────────────────────────────────────────────────────────────────────


Needs = tuple[tuple[NodeId, ...], ...]
"""One element a hash of the proof: the complete subtrees, left to right, that make it up."""


def inclusion_needs(index: int, size: int) -> Needs:
    """Which stored subtrees prove that leaf `index` is in a tree of `size` leaves (RFC 9162 §2.1.3.1)."""
    if not 0 <= index < size:
        raise ValueError("no such leaf in a tree of this size")
    path: list[tuple[int, int]] = []
    start, end = 0, size
    while end - start > 1:
        split = start + _largest_power_below(end - start)
        if index < split:
            path.append((split, end))
            end = split
        else:
            path.append((start, split))
            start = split
    return tuple(_cover(*span) for span in reversed(path))


def consistency_needs(first: int, second: int) -> Needs:
    """Which stored subtrees prove that the tree of `first` leaves is the beginning of the tree of `second` (RFC 9162 §2.1.4.1)."""
    if not 0 < first <= second:
        raise ValueError("a consistency proof goes from a smaller, not empty tree to a larger one")
    path: list[tuple[int, int]] = []
    start, end, whole = 0, second, True
    while first < end:
        split = start + _largest_power_below(end - start)
        if first <= split:
            path.append((split, end))
            end = split
        else:
            path.append((start, split))
            start, whole = split, False
    if not whole:
        path.append((start, end))
    return tuple(_cover(*span) for span in reversed(path))


def assemble(needs: Needs, hashes: Mapping[NodeId, bytes]) -> list[bytes]:
    """The proof, from the subtrees it needs; KeyError names a subtree that is not stored."""
    return [frontier_root([hashes[node] for node in group]) for group in needs]


def tiles(start: int, end: int) -> tuple[NodeId, ...]:
    """The fewest complete subtrees that stand for the leaves [start, end), wherever the span begins."""
    found: list[NodeId] = []
    while start < end:
        level = (end - start).bit_length() - 1
        if start:
            level = min(level, (start & -start).bit_length() - 1)
        found.append(NodeId(level, start >> level))
        start += 1 << level
    return tuple(found)


def _cover(start: int, end: int) -> tuple[NodeId, ...]:
    """The complete subtrees of [start, end); start is a multiple of every subtree's size, as it is in all spans of the RFC."""
    cover: list[NodeId] = []
    while start < end:
        level = (end - start).bit_length() - 1
        cover.append(NodeId(level, start >> level))
        start += 1 << level
    return tuple(cover)


def _largest_power_below(count: int) -> int:
    """The largest power of two smaller than `count` (count ≥ 2)."""
    return 1 << ((count - 1).bit_length() - 1)


# ── checks ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether `proof` shows that the leaf hash stands at `index` in the tree of `size` leaves with this root (RFC 9162 §2.1.3.2)."""
    if not 0 <= index < size or not _are_hashes(leaf, root, *proof):
        return False
    position, last, current = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if position & 1 or position == last:
            current = node_hash(sibling, current)
            while not position & 1 and position:
                position >>= 1
                last >>= 1
        else:
            current = node_hash(current, sibling)
        position >>= 1
        last >>= 1
    return last == 0 and current == root


def verify_consistency(first: int, second: int, proof: Sequence[bytes], first_root: bytes, second_root: bytes) -> bool:
    """Whether `proof` shows that the tree with the second root only added leaves to the first (RFC 9162 §2.1.4.2).

    A tree is consistent with itself, shown by an empty proof; the empty tree commits to nothing, so nothing can be shown against it.
    """
    if first == 0 < second:
        return False
    return verify_subtree_consistency(0, first, second, proof, first_root, second_root)


def verify_subtree_inclusion(leaf: bytes, index: int, start: int, end: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether `proof` shows that the leaf hash at `index` of the log stands in the subtree [start, end) with this root."""
    return is_subtree(start, end) and start <= index and verify_inclusion(leaf, index - start, end - start, proof, root)


def verify_subtree_consistency(start: int, end: int, size: int, proof: Sequence[bytes], subtree_root: bytes, root: bytes) -> bool:
    """Whether `proof` shows that the subtree [start, end) is part of the tree of `size` leaves with this root."""
    if 0 <= start == end <= size:
        return not proof and subtree_root == EMPTY_ROOT
    if not is_subtree(start, end) or end > size or (proof and not _are_hashes(subtree_root, root, *proof)):
        return False
    first, inner, outer = start, end - 1, size - 1
    while first != inner and (inner == outer or inner & 1):
        first, inner, outer = first >> 1, inner >> 1, outer >> 1
    rest = list(proof)
    if first == inner:
        part = whole = subtree_root
    elif rest:
        part = whole = rest.pop(0)
    else:
        return False
    for sibling in rest:
        if outer == 0:
            return False
        if inner & 1 or inner == outer:
            if first < inner:
                part = node_hash(sibling, part)
            whole = node_hash(sibling, whole)
            while inner and not inner & 1:
                first, inner, outer = first >> 1, inner >> 1, outer >> 1
        else:
            whole = node_hash(whole, sibling)
        first, inner, outer = first >> 1, inner >> 1, outer >> 1
    return outer == 0 and part == subtree_root and whole == root


def is_subtree(start: int, end: int) -> bool:
    """Whether [start, end) is a subtree: it starts at a multiple of the smallest power of two that holds it."""
    return 0 <= start < end and start % (1 << (end - start - 1).bit_length()) == 0


def _are_hashes(*values: bytes) -> bool:
    return all(len(value) == HASH_BYTES for value in values)
