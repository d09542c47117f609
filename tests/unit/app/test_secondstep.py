"""Codes of RFC 6238, each once; the secret leaves sealed."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from app.secondstep import SecondStep
from tests.house import Clock

RFC_6238 = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
"""The key of RFC 6238, appendix B, in base 32."""


def made() -> tuple[SecondStep, Clock]:
    clock = Clock()
    return SecondStep("00" * 32, clock), clock


def sealed_rfc(step: SecondStep) -> str:
    return str(step._totp(key=RFC_6238).to_json(encrypt=True))


def test_the_codes_are_those_of_the_rfc() -> None:
    step, clock = made()
    sealed = sealed_rfc(step)
    for seconds, code in ((59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (2000000000, "279037")):
        clock.now = datetime.fromtimestamp(seconds, UTC)
        assert step.used_to(sealed, code, None) == seconds // 30


def test_a_code_counts_once_and_never_an_older_one_after_it() -> None:
    step, clock = made()
    sealed = sealed_rfc(step)
    clock.now = datetime.fromtimestamp(1111111109, UTC)
    used = step.used_to(sealed, "081 804", None)
    assert used is not None
    assert step.used_to(sealed, "081804", used) is None
    assert step.used_to(sealed, "081804", used - 1) == used
    clock.forward(seconds=95)
    assert step.used_to(sealed, "081804", None) is None


def test_nonsense_is_no_code() -> None:
    step, _ = made()
    sealed = step.propose()
    assert [step.used_to(sealed, code, None) for code in ("", "12345", "abcdef", "１２３４５６", "1" * 400)] == [None] * 5


def test_the_secret_is_sealed_and_its_picture_is_a_plain_drawing() -> None:
    step, _ = made()
    sealed = step.propose()
    assert step.key(sealed).replace("-", "") not in sealed
    picture = step.picture(sealed, "ada@example.com").decode()
    assert "<svg" in picture
    assert not re.search(r"style=|<script|href|ada@", picture)


def test_recovery_codes_are_ten_different_ones() -> None:
    step, _ = made()
    codes = step.recovery_codes()
    assert len(set(codes)) == 10, "two equal of ten with 48 bits each: below 1e-12"
    assert all(re.fullmatch(r"[0-9a-f]{4}(-[0-9a-f]{4}){2}", code) for code in codes)
