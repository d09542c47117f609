"""Where something may be pushed to: an allow-list, and never to what is inside."""

from __future__ import annotations

import pytest

from app.outbound import Guard, hosts_of
from privacy.errors import Refused, Unavailable

GUARD = Guard(hosts_of(["API.partner.example.", ".ads.example"]))


@pytest.mark.parametrize(
    "text",
    [
        "http://api.partner.example/x", "ftp://api.partner.example/x", "https://user:pw@api.partner.example/x", "https:///x", "x", "",
        "https://api.partner.example/x?phone=1", "https://api.partner.example/x#y", "https://api.partner.example:99999/", "https://[::1",
        "https://api.partner.example/a\r\nHost: b", "https://api.partner.example/a b",
    ],
)  # fmt: skip
def test_an_address_is_https_and_carries_nothing_but_a_path(text: str) -> None:
    with pytest.raises(Refused) as caught:
        GUARD.address(text)
    assert caught.value.code == "destination_address"
    assert "partner" not in str(caught.value)


@pytest.mark.parametrize("host", ["evil.example", "api.partner.example.evil", "xapi.partner.example", "ads.example", "127.0.0.1", "[::1]"])
def test_only_hosts_of_the_list_are_pushed_to(host: str) -> None:
    with pytest.raises(Refused) as caught:
        GUARD.address(f"https://{host}/x")
    assert caught.value.code == "destination_host"


def test_a_listed_host_and_what_is_below_a_listed_name_may_be_used() -> None:
    assert GUARD.address("https://API.Partner.example/a/b").host == "api.partner.example"
    assert GUARD.address("https://eu.ads.example:8443").port == 8443


@pytest.mark.parametrize(
    "place",
    [
        "127.0.0.1", "10.0.0.1", "172.16.3.4", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255",
        "192.0.2.1", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::1", "nonsense",
    ],
)  # fmt: skip
def test_a_name_that_leads_inside_is_refused_even_beside_a_public_one(place: str) -> None:
    address = GUARD.address("https://api.partner.example/")
    with pytest.raises(Refused) as caught:
        GUARD.places(address, lambda host, port: ["8.8.8.8", place])
    assert caught.value.code == "destination_private"


def test_a_private_network_is_pushed_to_only_where_it_was_allowed() -> None:
    guard = Guard(hosts_of(["a.example"]), ("10.1.0.0/16",))
    address = guard.address("https://a.example/")
    assert guard.places(address, lambda host, port: ["10.1.2.3", "10.1.2.3"]) == ["10.1.2.3"]
    with pytest.raises(Refused):
        guard.places(address, lambda host, port: ["10.2.0.1"])


def test_a_name_that_leads_nowhere_may_be_tried_later() -> None:
    address = GUARD.address("https://api.partner.example/")

    def fails(host: str, port: int) -> list[str]:
        raise OSError("no such name")

    for resolve in (fails, lambda host, port: []):
        with pytest.raises(Unavailable) as caught:
            GUARD.places(address, resolve)
        assert caught.value.code == "destination_unresolved"
