"""Who is let in: forged, missing and doubled headers, tokens, groups, and a page opened for this machine."""

from dataclasses import replace
from ipaddress import ip_network

import pytest

from bursar.server.settings import Proxy, ServerSettings
from bursar.serving import Place, check_place
from engine.errors import ConfigError
from tests.bursar.server.conftest import EVE, MIRA, SETTINGS, TOKEN, URL

SHOWN = ("/", "/findings", "/approvals", "/runs", "/savings", "/coverage", "/metrics")


@pytest.mark.parametrize("path", SHOWN)
def test_nothing_is_shown_to_nobody(served, path):
    """Without a word of the proxy's or a token nothing but health answers."""
    answer = served.client().get(path)
    assert answer.status_code == 401
    assert "vla-sweep" not in answer.text
    assert served.client().get("/healthz").status_code == 200


@pytest.mark.parametrize("address", ["10.2.0.1", "127.0.0.1", "::1", "203.0.113.9", "testclient", ""])
def test_a_header_from_elsewhere_is_nobodys_word(served, address):
    """The header counts only on a connection from the configured addresses."""
    assert served.client(MIRA, address=address).get("/findings").status_code == 401


def test_what_came_before_the_proxy_does_not_matter(served):
    """X-Forwarded-For moves nobody into the proxy's network, nor out of it."""
    stranger = served.client(
        MIRA, address="203.0.113.9", **{"X-Forwarded-For": "10.1.2.3", "Forwarded": "for=10.1.2.3"}
    )
    assert stranger.get("/findings").status_code == 401
    assert served.client(MIRA, **{"X-Forwarded-For": "203.0.113.9"}).get("/findings").status_code == 200


def test_an_address_written_as_ipv6(served):
    """A proxy that comes over IPv6 with its IPv4 address is the same proxy."""
    assert served.client(MIRA, address="::ffff:10.1.2.3").get("/findings").status_code == 200


@pytest.mark.parametrize("value", [f"{MIRA}, {EVE}", "x" * 400, "mira\u00a0osei"])
def test_a_header_that_names_nobody_in_particular(served, value):
    """Two names, or what is no name, are refused."""
    client = served.client()
    answer = client.get("/findings", headers=[("X-Forwarded-Email", value.encode("utf-8"))])
    assert answer.status_code == 400


def test_the_header_twice(served):
    """A proxy that only appends cannot be made to vouch for somebody else."""
    sent = [("X-Forwarded-Email", EVE), ("X-Forwarded-Email", MIRA)]
    assert served.client().get("/findings", headers=sent).status_code == 400


@pytest.mark.parametrize("value", ["", "   "])
def test_an_empty_header_is_nobody(served, value):
    """A proxy that let somebody through without signing in vouches for nobody."""
    assert served.client().get("/findings", headers={"X-Forwarded-Email": value}).status_code == 401


def test_viewers(serve):
    """Where viewers are listed the others are told that they are not; a group of the proxy's counts."""
    served = serve(replace(SETTINGS, viewers=("@ml-leads", "@ops")))
    assert served.client(MIRA).get("/findings").status_code == 200
    refused = served.client(EVE).get("/findings")
    assert refused.status_code == 403
    assert "eve@example.com is not one of those" in refused.text
    assert served.client(EVE, **{"X-Forwarded-Groups": "dev,ops"}).get("/findings").status_code == 200


def test_a_name_that_only_the_door_knows(served):
    """Somebody whom the people list knows by another name over this door is that person."""
    assert "tomas.lindqvist@example.com</p>" in served.client("tomas").get("/").text


def test_a_token(served):
    """A program with its token may look and never decides; another token, or half of it, is refused."""
    known = served.client(address="203.0.113.9", Authorization=f"Bearer {TOKEN}")
    assert known.get("/metrics").status_code == 200
    assert "token:prometheus" in known.get("/findings").text
    sent = known.post(
        f"/approvals/{served.approvals['vla-sweep-7']}/approve",
        data={"token": served.desk.forms.token("token:prometheus")},
        headers={"Origin": URL},
    )
    assert sent.status_code == 403
    assert served.approval("vla-sweep-7").status.value == "pending"
    for wrong in (TOKEN[:-1], TOKEN + "0", "", "é" * 32):
        headers = {"Authorization": f"Bearer {wrong}".encode()}
        assert served.client(address="203.0.113.9").get("/metrics", headers=headers).status_code == 401


def test_for_this_machine(serve):
    """`--no-auth` shows everything to this machine, by this machine's names, and lets nobody decide."""
    served = serve(ServerSettings(), no_auth=True)
    for host in ("localhost:8080", "127.0.0.1:8080", "[::1]:8080", "localhost"):
        assert served.client(address="127.0.0.1", Host=host).get("/findings").status_code == 200
    # A page of another site whose name leads here.
    assert served.client(address="127.0.0.1", Host="evil.example:8080").get("/findings").status_code == 403
    assert served.client(address="10.1.2.3", Host="localhost").get("/findings").status_code == 403
    here = served.client(MIRA, address="127.0.0.1", Host="localhost")
    page = here.get(f"/approvals/{served.approvals['vla-sweep-7']}").text
    assert "bursar approvals approve" in page
    assert "<form" not in page
    sent = here.post(f"/approvals/{served.approvals['vla-sweep-7']}/approve", headers={"Origin": "https://localhost"},
                     data={"token": served.desk.forms.token("this machine")})  # fmt: skip
    assert sent.status_code == 403
    assert served.approval("vla-sweep-7").status.value == "pending"


PROXY = Proxy((ip_network("10.0.0.0/8"),), "X-Forwarded-Email")


@pytest.mark.parametrize(
    ("place", "settings", "says"),
    [
        (Place("0.0.0.0", no_auth=True), ServerSettings(), "would show everything"),
        (Place(no_auth=True), ServerSettings(proxy=PROXY), "does not go with"),
        (Place(), ServerSettings(), "nothing says who may look"),
        (Place("0.0.0.0"), ServerSettings(), "nothing says who may look"),
    ],
)
def test_what_would_let_in_nobody_or_anybody(place, settings, says):
    """The server does not start where nothing says who may look, nor open to the network."""
    with pytest.raises(ConfigError, match=says):
        check_place(place, settings)


def test_what_may_be_served():
    """Loopback with `--no-auth` written out, and any address with a proxy or a token."""
    check_place(Place(no_auth=True), ServerSettings())
    check_place(Place("0.0.0.0"), ServerSettings(proxy=PROXY))
    check_place(Place("0.0.0.0"), ServerSettings(tokens={"prometheus": "env:T"}))
