"""Who stands for whom, and whose rows count."""

from __future__ import annotations

from privacy.identity.families import families, members

ANNA, ANN, BO, CAI, ZERO = (bytes([one]) * 16 for one in (1, 2, 3, 4, 0))
FAMILY = {ANNA: [ANN]}


def split(joined: tuple[bytes, bytes]) -> dict[bytes, bytes]:
    one, other = ([part[at : at + 16] for at in range(0, len(part), 16)] for part in joined)
    return dict(zip(one, other, strict=True))


def test_merges_become_families() -> None:
    assert families([(ANN, ANNA), (BO, ANNA), (CAI, ZERO)]) == {ANNA: [ANN, BO], ZERO: [CAI]}


def test_whoever_has_no_family_counts_as_themselves() -> None:
    assert split(members(BO + ZERO, {}, {}, set())) == {BO: BO, ZERO: ZERO}
    assert members(b"", {}, {}, {BO}) == (b"", b"")


def test_a_family_counts_as_its_head_and_only_as_a_whole() -> None:
    assert split(members(ANNA + BO, FAMILY, {ANNA: True}, set())) == {BO: BO, ANNA: ANNA, ANN: ANNA}
    assert split(members(ANNA + ANN + BO, FAMILY, {ANNA: False}, set())) == {BO: BO}


def test_who_is_barred_is_out_and_takes_the_family_along() -> None:
    assert split(members(ANNA + BO + CAI, FAMILY, {ANNA: True}, {ANN, BO})) == {CAI: CAI}


def test_ids_that_end_in_zero_bytes_are_told_apart() -> None:
    near = b"\x05" + bytes(15), b"\x05\x00\x05" + bytes(13)
    assert split(members(b"".join(near), {}, {}, {near[0]})) == {near[1]: near[1]}
