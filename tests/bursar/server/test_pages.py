"""Every page with hostile names, the list's filters, orders and pages, and what every answer carries."""

import html
import re
from html.parser import HTMLParser

import pytest

from bursar.server.app import GET, POST
from bursar.server.listing import PAGE, query_of
from bursar.stores import open_store
from engine.policy.model import Severity
from engine.state.lifecycle import opened
from engine.state.records import FindingRecord, Status, put
from tests.bursar.server.company import HOSTILE, NOW, found, remember, subject
from tests.bursar.server.conftest import MIRA, SAME, form, on_every_store

PATHS = ("/", "/findings", "/approvals", "/acts", "/runs", "/savings", "/coverage")


class Checker(HTMLParser):
    """Collects what matters of a page."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]


def rows(text: str) -> list[str]:
    """Return the ids of the findings that a list shows, in order."""
    return re.findall(r'<th scope="row"><a href="/findings/([0-9a-f]+)"', text)


def names(text: str) -> list[str]:
    found_ = re.findall(r'<th scope="row"><a href="/findings/[0-9a-f]+">([^<]*)<', text)
    return [html.unescape(name) for name in found_]


@pytest.mark.parametrize("path", PATHS)
def test_every_page_is_shown_and_is_harmless(served, path):
    """Every page answers, has one heading of the first order, landmarks and no script, style or handler in it."""
    answer = served.client(MIRA).get(path)
    assert answer.status_code == 200
    page = Checker(answer.text)
    assert len(page.all("h1")) == len(page.all("main")) == 1
    assert not page.all("script")
    assert not page.all("style")
    assert not [a for _, attrs in page.tags for a in attrs if a.startswith("on") or a == "style"]
    assert not [a for a in page.all("img") if a["src"] != "/static/icon.svg"]
    assert "\u202e" not in answer.text


@on_every_store
def test_pages_of_every_store(served):
    """Whatever store the state is in: lists, one finding, one question and one act are shown."""
    client = served.client(MIRA)
    question = served.approval("vla-sweep-7")
    for path in (
        *PATHS,
        f"/findings/{question.finding}",
        f"/approvals/{question.id}",
        f"/acts/{question.finding}-stop.1",
    ):
        answer = client.get(path)
        assert (answer.status_code, len(Checker(answer.text).all("h1"))) == (200, 1), path
    assert "vla-sweep-7" in names(client.get("/findings").text)
    assert client.get("/readyz").json() == {"status": "ok", "store": "ok", "run": "unknown"}


def test_hostile_names_are_text(served):
    """A name that looks like HTML is shown as its characters, and what would reorder it as what it is."""
    client = served.client(MIRA)
    listed = Checker(client.get("/findings", params={"q": "alert("}).text)
    assert '<script>alert("x")</script>\\u202egnp.exe"><img src=x onerror=alert(1)>' in listed.text
    id_ = next(row.id for row in served.desk.keeper.view.rows.values() if row.name == HOSTILE)
    whole = client.get(f"/findings/{id_}")
    assert not Checker(whole.text).all("script")
    assert "onerror=alert(1)" in Checker(whole.text).text
    echoed = client.get("/findings", params={"q": '"><script>alert(1)</script>', "owner": HOSTILE})
    assert not Checker(echoed.text).all("script")
    assert Checker(echoed.text).all("input")[0]["value"] == '"><script>alert(1)</script>'


@pytest.mark.parametrize("path", [*PATHS, "/healthz", "/readyz", "/static/bursar.css", "/nowhere", "/findings/zzz"])
def test_every_answer_carries_the_headers(served, path):
    """Content-Security-Policy allows no script at all; nothing is framed, sniffed or kept, whatever the status."""
    headers = served.client(MIRA).get(path).headers
    assert headers["content-security-policy"].startswith("default-src 'none'; style-src 'self'")
    assert "script-src" not in headers["content-security-policy"]
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["strict-transport-security"] == "max-age=31536000"
    assert headers["cache-control"] == ("public, max-age=3600" if path.startswith("/static") else "no-store")


def test_a_filter_chooses(served):
    """Policy, status, severity, owner, account and search choose, alone and together; over is not shown at first."""
    client = served.client(MIRA)
    view = served.desk.keeper.view

    def ids(**params):
        return set(rows(client.get("/findings", params=params).text))

    everything = view.rows.values()
    assert ids(policy="stop-idle-gpus") == {r.id for r in everything if r.policy == "stop-idle-gpus"}
    assert ids(status="resolved") == {r.id for r in everything if r.status is Status.RESOLVED} != set()
    assert ids(severity="critical") == {r.id for r in view.current if r.severity == "critical"} != set()
    assert ids(owner="MIRA") == {r.id for r in view.current if r.owner == MIRA} != set()
    assert ids(account="999999999999") == set()
    assert ids(q="VLA-sweep") == {r.id for r in everything if r.name == "vla-sweep-7"}
    assert ids(q="VLA-sweep", policy="close-buckets") == set()
    assert not ids() & {r.id for r in everything if r.status in (Status.RESOLVED, Status.EXEMPT)}


def test_orders(served):
    """The largest savings come first, what has no price last; every other order can be asked for."""
    client = served.client(MIRA)
    assert names(client.get("/findings").text)[:2] == ["vla-sweep-7", "policy-train-1"] or names(
        client.get("/findings").text
    )[:2] == ["policy-train-1", "vla-sweep-7"]
    by_name = names(client.get("/findings", params={"sort": "name"}).text)
    assert by_name == sorted(by_name, key=str.casefold)
    severities = re.findall(r'data-h="Severity"><span class="badge b-(\w+)"',
                            client.get("/findings", params={"sort": "severity"}).text)  # fmt: skip
    assert severities == sorted(severities, key=["critical", "high", "medium", "low", "info"].index)
    last = client.get("/findings", params={"page": "99"}).text
    assert last.rindex('class="n">?<') > last.index('data-h="Cost')


def test_pages_hold_everything_once(served):
    """All pages together show every current finding exactly once; a page beyond the last is the last."""
    client = served.client(MIRA)
    current = {row.id for row in served.desk.keeper.view.current}
    assert len(current) > PAGE
    pages = [rows(client.get("/findings", params={"page": str(n)}).text) for n in (1, 2)]
    assert len(pages[0]) == PAGE
    assert set(pages[0]) | set(pages[1]) == current
    assert len(pages[0]) + len(pages[1]) == len(current)
    assert rows(client.get("/findings", params={"page": "1000"}).text) == pages[1]


@pytest.mark.parametrize("page", ["0", "-1", "x", "²", "9" * 30, ""])
def test_what_makes_no_sense_is_as_if_it_was_not_there(served, page):
    """An address that somebody made up shows the first page and never fails."""
    query = query_of({"page": page, "sort": "password", "status": "gone", "severity": "dire"})
    assert (query.page, query.sort, query.status, query.severity) == (1, "savings", "", "")
    answer = served.client(MIRA).get("/findings", params={"page": page, "sort": "x", "q": "\x00" * 500})
    assert answer.status_code == 200


def test_a_finding_whole(served):
    """One finding shows its evidence with source, its dollars, its steps and its history from the ledger."""
    id_ = served.approval("vla-sweep-7").finding
    text = Checker(served.client(MIRA).get(f"/findings/{id_}").text).text
    for part in ("gpu.utilization[1]", "0.4%", "below 5%", "240 of 240 samples", "$40,179 a month",
                 "Stop the machine", "start it again", "Approval asked", "Finding pending"):  # fmt: skip
        assert part in text, part


@pytest.mark.parametrize("path", ["/findings/000000000000", "/approvals/000000000000", "/findings/..%2f..%2fetc"])
def test_what_is_not_there(served, path):
    """What does not exist is 404 with a page that says so, or none of ours."""
    assert served.client(MIRA).get(path).status_code == 404


def test_a_part_of_an_id_is_no_address(served):
    """The page of a finding has one address: its whole id."""
    id_ = served.approval("vla-sweep-7").finding
    assert served.client(MIRA).get(f"/findings/{id_[:8]}").status_code == 404


def test_an_empty_state(serve):
    """Before the first run every page says that there is nothing."""
    served = serve(fill=lambda _store: {})
    client = served.client(MIRA)
    for path in PATHS:
        assert client.get(path).status_code == 200
    assert "never" in client.get("/").text
    assert "No findings." in client.get("/findings").text


def test_a_finding_without_details(serve):
    """A finding of an earlier release, of which nothing is kept but its life, is shown as that."""

    def fill(store):
        store.commit([put(opened("a" * 16, "stop-idle-gpus", subject(1, "old"), NOW), 0)])
        return {}

    client = serve(fill=fill).client(MIRA)
    assert "old" in client.get("/findings").text
    assert "No details are kept" in client.get("/findings/" + "a" * 16).text


def test_while_the_state_cannot_be_read(served, tmp_path):
    """What was read last goes on to be shown, and says how old it is; what has to be read now is 503."""
    client = served.client(MIRA)
    finding = served.approval("vla-sweep-7").finding
    served.desk.pool.close()
    path = tmp_path / "bursar.db"
    path.rename(tmp_path / "moved.db")
    for extra in ("-wal", "-shm"):
        (tmp_path / f"bursar.db{extra}").unlink(missing_ok=True)
    path.mkdir()
    served.look()
    assert "The state cannot be read now" in client.get("/findings").text
    answer = client.get(f"/findings/{finding}")
    assert answer.status_code == 503
    assert "The state cannot be read" in answer.text
    assert client.get("/readyz").status_code == 503
    assert client.get("/healthz").status_code == 200
    sent = client.post(f"/approvals/{served.approvals['vla-sweep-7']}/approve", data=form(served, client, MIRA),
                       headers=SAME)  # fmt: skip
    assert sent.status_code == 503


def test_routes_take_their_methods_alone(served):
    """What shows does not change, and what changes is not reached by a link."""
    client = served.client(MIRA)
    assert {client.post(path).status_code for path in GET if "{" not in path} == {405}
    assert {client.get(re.sub("{.*?}", "0" * 12, path)).status_code for path in POST} == {405}


def test_the_list_follows_what_a_run_remembers(served):
    """New findings are there after the next look, without reading everything."""
    with open_store(served.config) as store:
        remember(store, [found(900, "newcomer", MIRA, "99", Severity.HIGH)], now=NOW)
    served.look()
    answer = served.client(MIRA).get("/findings", params={"q": "newcomer"})
    assert names(answer.text) == ["newcomer"]
    assert served.read(FindingRecord, rows(answer.text)[0]).status is Status.OPEN
