"""Lists on their way to a recipient over real TLS, and taken back from there: what a recipient answers, when a process dies, who says no."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app import deliveries
from privacy.delivery import register
from privacy.errors import Refused
from tests import house
from tests.fakes.receiver import Answer, receiver
from tests.flow.delivering import BOB, PHONES, Street, direct, pushed, rows
from tests.house import House

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def street_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the recipient and the people: made once, copied for each test."""
    folder = tmp_path_factory.mktemp("street")
    house.make_home(folder / "empty", {}, house.Clock())
    with house.sqlite_house(folder / "empty", folder / "home") as made:
        Street(made)
    return folder / "home"


@pytest.fixture
def sqlite_only(street_home: Path, tmp_path: Path) -> Iterator[House]:
    with house.sqlite_house(street_home, tmp_path / "home") as made:
        yield made


def test_a_list_is_pushed_once_in_the_platforms_form_and_a_withdrawal_takes_the_person_out(sqlite_only: House, tmp_path: Path) -> None:
    """From the release over the platform's own interface to the acknowledgement, with the latency that is measured (S-10)."""
    with pushed(sqlite_only, tmp_path) as partner:
        street = Street(sqlite_only)
        street.list_for_meta()
        assert street.round() == {"acknowledged": 1}
        assert street.round() == {}
        assert len(partner.members) == len(PHONES)
        assert partner.got[0][2]["Access-Token"] == "T0ken"
        street.withdraw(PHONES[0])
        sqlite_only.clock.forward(seconds=7)
        assert street.round() == {"noticed": 1, "removals": 1, "people": 1, "acknowledged": 1}
        assert (len(partner.members), len(partner.removed)) == (len(PHONES) - 1, 1)
        line = street.board()
        assert (line["way"], line["removals"]["removed"], line["removals"]["latency_longest"]) == ("push", 1, 7)
        assert street.holdings() == len(PHONES) - 1
        assert partner.members.isdisjoint(partner.removed)


def test_retry_after_is_kept_and_what_fails_is_tried_again_under_its_key(sqlite_only: House, tmp_path: Path) -> None:
    """429 with Retry-After, 5xx, silence: the same key each time, never before the time that was named."""
    with pushed(sqlite_only, tmp_path) as partner:
        partner.answers = [Answer(429, {"Retry-After": "600"}), Answer(503), Answer(silent=True), Answer()]
        street = Street(sqlite_only)
        street.list_for_meta()
        assert street.round() == {"waiting": 1}
        sqlite_only.clock.forward(seconds=599)
        assert street.round() == {}
        for answer in ("waiting", "waiting", "acknowledged"):
            sqlite_only.clock.forward(seconds=1_200)
            assert street.round() == {answer: 1}
        assert len({headers["Idempotency-Key"] for _, _, headers, _ in partner.got}) == 1
        assert len(partner.got) == 4


def test_redirects_and_refusals_are_dead_letters_that_are_replayed_under_their_key(sqlite_only: House, tmp_path: Path) -> None:
    """Attack: an address that sends us on to a machine inside is not followed."""
    with pushed(sqlite_only, tmp_path) as partner:
        partner.answers = [Answer(307, {"Location": "https://169.254.169.254/latest"}), Answer()]
        street = Street(sqlite_only)
        street.list_for_meta()
        assert street.round() == {"dead": 1}
        assert street.told()[0]["code"] == "http_307"
        assert deliveries.replay(street.services, actor=BOB) == {"replayed": 1}
        assert street.round() == {"acknowledged": 1}
        assert partner.got[0][2]["Idempotency-Key"] == partner.got[1][2]["Idempotency-Key"]


@pytest.mark.parametrize("place", ["127.0.0.1", "10.0.0.8", "169.254.169.254", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "fe80::1%lo"])
def test_an_address_that_leads_inside_gets_nothing_and_nobody_was_there(sqlite_only: House, tmp_path: Path, place: str) -> None:
    """Server-side request forgery: a name of the allow-list whose address is one of ours."""
    with pushed(sqlite_only, tmp_path) as partner:
        direct(sqlite_only, (sqlite_only.home / "destinations.toml").read_text(), networks=(), authorities="partner.pem")
        sqlite_only.services.resolve = lambda host, port: [place]  # type: ignore[method-assign]
        street = Street(sqlite_only)
        street.list_for_meta()
        assert street.round() == {"dead": 1}
        assert street.told()[0]["code"] == "destination_private"
        street.withdraw(PHONES[0])
        assert street.round() == {"noticed": 1, "never_sent": 1}, "a recipient is not told of somebody it never had"
        assert partner.got == []


def test_a_host_that_is_not_on_the_list_stops_its_own_recipient_and_nobody_else(sqlite_only: House) -> None:
    """The operator's file is refused where it is used; a release there fails before anything is made."""
    street = Street(sqlite_only)
    direct(sqlite_only, '[far-ads]\nway = "push"\naddress = "https://metadata.internal.example/"\n')
    with pytest.raises(Refused) as refused:
        street.list_for_meta()
    assert refused.value.code == "destination_host"
    assert street.holdings() == 0


def test_killed_between_the_answer_and_its_entry_the_part_goes_again_and_is_applied_once(sqlite_only: House, tmp_path: Path) -> None:
    """At least once here, once there: the recipient knows the key. A withdrawal in between is in a removal, exactly once."""
    with pushed(sqlite_only, tmp_path) as partner:
        street = Street(sqlite_only)
        street.list_for_meta()

        class Killed(BaseException):
            """kill -9, as near as a test comes to it."""

        door, ended = street.services.deliveries, street.services.deliveries._ended

        def dies(*_: object) -> str:
            raise Killed

        door._ended = dies  # type: ignore[method-assign, assignment]
        with pytest.raises(Killed):
            street.round()
        door._ended = ended  # type: ignore[method-assign]
        street.withdraw(PHONES[3])
        assert street.round() == {"noticed": 1, "removals": 1, "people": 1, "acknowledged": 1}
        assert street.round() == {}, "the dead worker's lease still holds the list"
        sqlite_only.clock.forward(seconds=register.LEASE.total_seconds() + 1)
        assert street.round() == {"acknowledged": 1}
        keys = [headers["Idempotency-Key"] for method, _, headers, _ in partner.got if method == "POST"]
        assert len(keys) == 2
        assert len(set(keys)) == 1
        assert len(partner.removed) == 1
        again = rows(next(body for method, _, _, body in reversed(partner.got) if method == "POST"))
        assert partner.removed[0] not in again, "who withdrew meanwhile is not in what is sent again"
        assert partner.removed[0] not in partner.members


def test_an_overdue_removal_stops_every_further_export_to_that_recipient_until_it_is_acknowledged(
    sqlite_only: House, tmp_path: Path
) -> None:
    """S-10: one alarm, nothing is added there, a release is refused; the acknowledgement opens it again."""
    with pushed(sqlite_only, tmp_path) as partner:
        street = Street(sqlite_only)
        street.list_for_meta()
        street.round()
        partner.answers = [Answer(503)]
        street.withdraw(PHONES[0])
        street.round()
        sqlite_only.clock.forward(hours=25)
        assert street.round()["alarms"] == 1
        assert street.board()["blocked"] is True
        with pytest.raises(Refused) as refused:
            street.list_for_meta()
        assert refused.value.code == "suppression_overdue"
        partner.answers = [Answer()]
        sqlite_only.clock.forward(hours=1)
        assert street.round()["acknowledged"] == 1
        assert street.board()["blocked"] is False


def test_a_list_is_called_back_at_the_gate_and_leaves_the_recipient(sqlite_only: House, tmp_path: Path) -> None:
    """The schedule follows the gate's own register: nothing is lost where nobody told deliveries."""
    with pushed(sqlite_only, tmp_path) as partner:
        street = Street(sqlite_only)
        export = street.list_for_meta()
        street.round()
        street.door.revoke(export, actor=BOB)
        assert street.round()["called_back"] == 1
        assert partner.members == set()
        assert street.holdings() == 0


def test_a_dead_recipient_keeps_no_other_one_waiting(sqlite_only: House, tmp_path: Path) -> None:
    """A recipient whose certificate is a stranger's is left alone; its parts are there when it is back."""
    with pushed(sqlite_only, tmp_path) as partner, receiver(tmp_path, "other.example") as stranger:
        street = Street(sqlite_only)
        street.list_for_meta()
        told = (sqlite_only.home / "destinations.toml").read_text()
        (sqlite_only.home / "destinations.toml").write_text(told.replace(str(partner.port), str(stranger.port)))
        assert street.round() == {"waiting": 1}
        assert (street.told()[0]["code"], street.board()["pause"]["code"]) == ("certificate_refused", "certificate_refused")
        assert stranger.got == []
        (sqlite_only.home / "destinations.toml").write_text(told)
        sqlite_only.clock.forward(hours=1)
        assert street.round() == {"acknowledged": 1}


def test_a_token_that_others_may_read_sends_nothing(sqlite_only: House, tmp_path: Path) -> None:
    with pushed(sqlite_only, tmp_path) as partner:
        street = Street(sqlite_only)
        street.list_for_meta()
        (sqlite_only.home / "partner.token").chmod(0o644)
        assert street.round() == {}
        (sqlite_only.home / "partner.token").chmod(0o600)
        assert street.round() == {"acknowledged": 1}
        assert len(partner.got) == 1
        assert "T0ken" not in repr(street.services.carrier(street.recipient))
