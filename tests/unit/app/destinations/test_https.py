"""Pushing over real sockets to a server of the test's own, whose certificate an authority of the test's own signed."""

from __future__ import annotations

import datetime as dates
from collections.abc import Iterator
from dataclasses import replace
from email.utils import format_datetime
from pathlib import Path

import pytest

from app.destinations.https import Push, trusting
from app.outbound import Guard, hosts_of
from privacy.carriage import Parcel
from tests.conftest import NOW
from tests.fakes.receiver import HOST, Answer, Receiver, receiver

pytestmark = pytest.mark.slow
PARCEL = Parcel("ab" * 24, "add-exp_1-0000.json", "application/json", b'{"payload":1}', "DELETE", "c2ln")


@pytest.fixture
def partner(tmp_path: Path) -> Iterator[tuple[Receiver, Push]]:
    with receiver(tmp_path) as told:
        guard = Guard(hosts_of([HOST]), ("127.0.0.0/8",))
        push = Push(
            guard.address(f"https://{HOST}:{told.port}/v1/users"),
            guard,
            lambda host, port: ["127.0.0.1"],
            lambda: NOW,
            trusting(str(told.certificate)),
            {"Access-Token": "secret"},
            seconds=5.0,
        )
        yield told, push


def test_a_parcel_arrives_whole_under_its_key_by_its_method(partner: tuple[Receiver, Push]) -> None:
    told, push = partner
    assert push.send(PARCEL).outcome == "acknowledged"
    ((method, path, headers, body),) = told.got
    assert (method, path, body) == ("DELETE", "/v1/users", PARCEL.body)
    assert (headers["Idempotency-Key"], headers["Piying-Signature"], headers["Access-Token"]) == (PARCEL.key, "c2ln", "secret")
    assert headers["Host"].split(":")[0] == HOST
    assert "secret" not in repr(push)
    assert "/v1/users" not in repr(push)


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (202, "acknowledged"),
        (301, "refused"),
        (307, "refused"),
        (400, "refused"),
        (401, "refused"),
        (404, "refused"),
        (429, "again"),
        (503, "again"),
    ],
)
def test_each_answer_has_its_outcome_and_redirects_are_not_followed(partner: tuple[Receiver, Push], status: int, outcome: str) -> None:
    told, push = partner
    told.answers = [Answer(status, {"Location": f"https://{HOST}/elsewhere"})]
    sent = push.send(PARCEL)
    assert (sent.outcome, sent.code) == (outcome, f"http_{status}")
    assert len(told.got) == 1


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120), ("0", 0), (format_datetime(NOW + dates.timedelta(minutes=7), usegmt=True), 420), ("soon", None), ("-5", None),
        (format_datetime(NOW - dates.timedelta(minutes=7), usegmt=True), 0), ("9" * 30, 10**8),
    ],
)  # fmt: skip
def test_retry_after_is_seconds_or_a_date(partner: tuple[Receiver, Push], text: str, seconds: int | None) -> None:
    told, push = partner
    told.answers = [Answer(429, {"Retry-After": text})]
    assert push.send(PARCEL).retry_after == seconds


def test_a_certificate_of_nobody_we_trust_or_of_another_name_gets_nothing(partner: tuple[Receiver, Push], tmp_path: Path) -> None:
    told, push = partner
    stranger = replace(push, context=trusting())
    assert stranger.send(PARCEL).code == "certificate_refused"
    assert not stranger.send(PARCEL).reached
    guard = Guard(hosts_of(["other.example"]), ("127.0.0.0/8",))
    other = replace(push, guard=guard, address=guard.address(f"https://other.example:{push.address.port}/"))
    assert other.send(PARCEL).code == "certificate_refused"
    assert told.got == []


def test_a_name_that_leads_inside_is_not_even_connected_to(partner: tuple[Receiver, Push]) -> None:
    told, push = partner
    closed = replace(push, guard=Guard(push.guard.hosts))
    sent = closed.send(PARCEL)
    assert (sent.outcome, sent.code, sent.reached) == ("refused", "destination_private", False)
    assert told.got == []


def test_nobody_there_is_tried_later(partner: tuple[Receiver, Push]) -> None:
    _, push = partner
    nobody = replace(push, address=replace(push.address, port=1))
    sent = nobody.send(PARCEL)
    assert (sent.outcome, sent.code, sent.reached) == ("again", "destination_unreachable", False)


def test_an_attempt_ends_in_bounded_time_and_may_have_reached_them(partner: tuple[Receiver, Push]) -> None:
    told, push = partner
    told.answers = [Answer(silent=True), Answer(drip=0.05)]
    quick = replace(push, seconds=0.3)
    silent, dripping = quick.send(PARCEL), quick.send(PARCEL)
    assert (silent.outcome, silent.code, silent.reached) == ("again", "destination_slow", True)
    assert (dripping.outcome, dripping.reached) == ("again", True)
    assert push.look(PARCEL.key, PARCEL.name) is None


def test_an_answer_without_end_is_not_read_to_its_end(partner: tuple[Receiver, Push]) -> None:
    told, push = partner
    told.answers = [Answer(body=b"x" * 5_000_000)]
    assert push.send(PARCEL).outcome == "acknowledged"
