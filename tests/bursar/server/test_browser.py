"""The page in a real browser: what a person does, what a screen reader is given, how it looks on four screens."""

import re
import socket
import subprocess
import sys
import threading
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from bursar.config import read_config
from bursar.operating import set_freeze
from bursar.stores import open_store
from engine.state.records import ApprovalRecord, Decision, FindingRecord, Status, UndoRecord, restored
from engine.state.settings import Acceptance, Freeze
from engine.state.store import Table
from integrations.catalog import default_catalog
from tests.bursar.server.company import company
from tests.bursar.server.conftest import EVE, MIRA

CONFIG = f"""
version: 1
people: {{"{MIRA}": {{slack: U024BE7LH}}}}
groups: {{"@ml-leads": ["{MIRA}"]}}
server: {{proxy: {{addresses: [127.0.0.1], header: X-Forwarded-Email}}, operators: ["{MIRA}"]}}
"""
SCREENS = {"desktop": (1280, 900), "phone": (390, 844)}
PATHS = ("/", "/findings", "/approvals", "/acts", "/runs", "/savings", "/coverage")


@pytest.fixture(scope="module")
def chromium(browser_folder):
    if find_spec("playwright") is None:
        pytest.skip("NOT TESTED: `playwright` is not installed, so no browser looked at the page")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        options = ["--no-sandbox", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path=browser_folder / "chromium", args=options)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The address of `bursar serve`, as a process of its own over a company's state, and its configuration."""
    tmp_path = tmp_path_factory.mktemp("site")
    path = tmp_path / "bursar.yaml"
    path.write_text(CONFIG, encoding="utf-8")
    config = read_config(path, default_catalog())
    with open_store(config) as store:
        ids = company(store, datetime.now(UTC).replace(microsecond=0))
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    command = [sys.executable, "-m", "bursar", "serve", "-c", str(path), "--port", str(port)]
    with (tmp_path / "log").open("w") as log, subprocess.Popen(command, stderr=log, stdout=log) as server:
        try:
            base = f"http://127.0.0.1:{port}"
            _ready(base, server, tmp_path / "log")
            yield base, config, ids
        finally:
            server.terminate()
            assert server.wait(30) == 0, (tmp_path / "log").read_text()


def _ready(base: str, server: subprocess.Popen, log: Path) -> None:
    for _ in range(600):
        try:
            with urlopen(f"{base}/readyz"):
                return
        except URLError:
            assert server.poll() is None, log.read_text()
            threading.Event().wait(0.05)
    raise AssertionError(log.read_text())


def opened(chromium, base, *, principal=MIRA, screen="desktop", scheme="light", scripts=True):
    """Return a page of a person's, which fails where the browser complains of anything."""
    width, height = SCREENS[screen]
    context = chromium.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, java_script_enabled=scripts, base_url=base,
        extra_http_headers={"X-Forwarded-Email": principal},
    )  # fmt: skip
    page = context.new_page()
    page.complaints = []
    page.on("console", lambda message: page.complaints.append(message.text))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on("dialog", lambda dialog: page.complaints.append(dialog.message) or dialog.dismiss())
    return page


def record(config, kind, table, key):
    with open_store(config) as store:
        return restored(kind, store.get(table, key)).record


def test_a_step_is_approved(chromium, site):
    """Without scripts: from the overview over a filter to the approval; when the page says yes it is in the store."""
    base, config, ids = site
    page = opened(chromium, base, scripts=False)
    page.goto("/")
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Findings").click()
    page.get_by_label("Search").fill("vla-sweep")
    page.get_by_label("Policy").select_option("stop-idle-gpus")
    page.get_by_role("button", name="Show").click()
    assert page.locator("tbody tr").count() == 1
    assert page.get_by_role("status").inner_text().startswith("1 finding,")
    page.get_by_role("link", name="vla-sweep-7").click()
    page.get_by_role("link", name="See what would be done, and decide").click()
    assert "stop the machine" in page.get_by_role("heading", level=1).inner_text().lower()
    page.get_by_label("Why, if you like").fill("the sweep is over")
    page.get_by_role("button", name="Approve").click()
    assert "Approved." in page.locator("main").inner_text()
    approval = record(config, ApprovalRecord, Table.APPROVAL, ids["vla-sweep-7"])
    assert approval.status is Decision.APPROVED
    assert [(vote.principal, vote.door, vote.reason) for vote in approval.votes] == [(MIRA, "web", "the sweep is over")]
    assert record(config, FindingRecord, Table.FINDING, approval.finding).status is Status.APPROVED
    assert page.complaints == []


def test_a_step_is_denied_by_keyboard(chromium, site):
    """With the keyboard alone: the link past the navigation, the fields in their order, Enter; the reason is kept."""
    base, config, ids = site
    page = opened(chromium, base)
    page.goto(f"/approvals/{ids['policy-train-1']}")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to content"
    page.keyboard.press("Enter")
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "no-why":
            break
    page.keyboard.type("it is needed on Monday")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Denied")
    approval = record(config, ApprovalRecord, Table.APPROVAL, ids["policy-train-1"])
    assert (approval.status, approval.reason) == (Decision.DENIED, "it is needed on Monday")


def test_the_browser_refuses_what_another_page_sends(chromium, site):
    """A form on another origin, sent with the person's own session, changes nothing."""
    base, config, ids = site
    page = opened(chromium, base)
    action = f"{base}/approvals/{ids['legacy-bert']}/approve"
    lure = f'<form method="post" action="{action}"><button>Win</button></form>'
    page.route("http://localhost:1/**", lambda route: route.fulfill(content_type="text/html", body=lure))
    page.goto("http://localhost:1/")
    page.get_by_role("button").click()
    page.wait_for_url(action)
    assert "not sent from this page" in page.locator("main").inner_text()
    assert record(config, ApprovalRecord, Table.APPROVAL, ids["legacy-bert"]).votes == ()


def test_who_may_not_decide_is_shown_no_buttons(chromium, site):
    """Somebody who is no approver sees the question and no form."""
    base, _, ids = site
    page = opened(chromium, base, principal=EVE)
    page.goto(f"/approvals/{ids['legacy-bert']}")
    assert page.get_by_role("button").count() == 0
    assert "You are not one of its approvers" in page.locator("main").inner_text()


def test_the_switch_is_thrown_and_lifted(chromium, site):
    """Without scripts: one field and one button on the first page stop everything, every page says so; lifted again."""
    base, config, _ = site
    page = opened(chromium, base, scripts=False)
    page.goto("/")
    page.get_by_label("Why; everybody sees it").fill("incident 4711")
    page.get_by_role("button", name="Freeze", exact=True).click()
    banner = page.get_by_role("region", name="Frozen", exact=True)
    assert "incident 4711" in banner.inner_text()
    assert banner.bounding_box()["y"] == 0
    assert record(config, Freeze, Table.SETTING, Freeze.NAME).frozen
    other = opened(chromium, base, principal=EVE)
    for _ in range(100):
        other.goto("/findings")
        if other.get_by_role("region", name="Frozen", exact=True).count():
            break
    assert "incident 4711" in other.get_by_role("region", name="Frozen", exact=True).inner_text()
    other.get_by_role("link", name="What to do").click()
    assert MIRA in other.locator("#switch").inner_text()
    assert other.get_by_role("button").count() == 0
    page.get_by_label("Why acting may go on").fill("it is over")
    page.get_by_role("button", name="Unfreeze").click()
    assert page.get_by_role("region", name="Frozen", exact=True).count() == 0
    freeze = record(config, Freeze, Table.SETTING, Freeze.NAME)
    assert (freeze.frozen, freeze.by, freeze.reason) == (False, f"web:{MIRA}", "it is over")
    assert page.complaints == other.complaints == []


def test_the_switch_is_thrown_by_keyboard(chromium, site):
    """The field is the first of the first page: the link past the navigation, once more Tab, a word, Enter."""
    base, config, _ = site
    page = opened(chromium, base)
    page.goto("/")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "freeze-why"
    page.keyboard.type("fire")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=All acting is frozen")
    with open_store(config) as store:
        set_freeze(store, frozen=False, reason="a drill", now=datetime.now(UTC).replace(microsecond=0))


def test_an_act_is_undone_and_left(chromium, site):
    """Without scripts: from the list of acts to what undoing does, asked for and taken back."""
    base, config, _ = site
    page = opened(chromium, base, scripts=False)
    page.goto("/acts")
    page.get_by_role("link", name="Stop the machine: legacy-bert").click()
    assert "Start it again, if the provider has capacity" in page.locator("main").inner_text()
    page.get_by_label("Why").fill("it is needed again")
    page.get_by_role("button", name="Undo").click()
    assert "The next run undoes it" in page.get_by_role("status").inner_text()
    id_ = page.url.rpartition("/")[2]
    assert record(config, UndoRecord, Table.UNDO, id_).status == "asked"
    page.get_by_role("button", name="Leave it as it is").click()
    assert page.get_by_role("button", name="Undo").count() == 1
    assert record(config, UndoRecord, Table.UNDO, id_).status == "withdrawn"
    assert page.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("screen", SCREENS)
def test_every_page_on_every_screen(chromium, site, browser_folder, screen, scheme):
    """No page is wider than its screen, nothing complains, and axe finds no violation of WCAG 2.2 AA; frozen too."""
    base, config, ids = site
    axe = (browser_folder / "axe.min.js").read_text(encoding="utf-8")
    approval = record(config, ApprovalRecord, Table.APPROVAL, ids["legacy-bert"])
    page = opened(chromium, base, screen=screen, scheme=scheme)
    folder = browser_folder / "screenshots"
    folder.mkdir(exist_ok=True)
    single = (f"/findings/{approval.finding}", f"/approvals/{approval.id}", f"/acts/{approval.finding}-stop.1")
    for path in (*PATHS, *single, "/findings/000000000000"):
        look_at(page, path, folder / f"{name_of(path)}-{screen}-{scheme}.png", axe)
    with open_store(config) as store:
        reason = "incident 4711: p5 nodes of the sweep are stopped while they write checkpoints"
        set_freeze(store, frozen=True, reason=reason, now=datetime.now(UTC).replace(microsecond=0), by=f"web:{MIRA}")
        try:
            look_at(page, "/", folder / f"frozen-{screen}-{scheme}.png", axe)
        finally:
            set_freeze(store, frozen=False, reason="over", now=datetime.now(UTC).replace(microsecond=0))


def name_of(path):
    """Return what a screenshot of `path` is called."""
    name = path.strip("/").replace("/", "-").replace("0" * 12, "missing")
    return re.sub(r"[0-9a-f]{12,}(-stop.1)?", "one", name) or "overview"


def look_at(page, path, shot, axe):
    """Open a page, take its picture, and see that it fits, complains of nothing and keeps to the rules."""
    page.goto(path)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
    page.screenshot(path=shot, full_page=True)
    assert [c for c in page.complaints if "404" not in c] == []
    # The page allows no scripts: axe is run by the debugger, which asks nobody.
    found = page.evaluate(axe + "; axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa']})")
    told = [f"{v['id']}: {v['help']}: {n['html'][:200]}" for v in found["violations"] for n in v["nodes"]]
    assert told == [], path


def test_a_finding_is_exempt_and_a_breaker_let_pass(chromium, site):
    """The browser holds the date within its bounds; without scripts both forms do what they say."""
    base, config, ids = site
    approval = record(config, ApprovalRecord, Table.APPROVAL, ids["legacy-bert"])
    page = opened(chromium, base, scripts=False)
    page.goto(f"/findings/{approval.finding}")
    date = page.get_by_label("To the end of")
    assert date.get_attribute("max") > date.get_attribute("min")
    date.fill(date.get_attribute("max"))
    page.get_by_label("Why it is right as it is").fill("benchmarks")
    page.get_by_role("button", name="Exempt").click()
    assert f"{MIRA} answers for it: benchmarks" in page.locator("main").inner_text()
    page.goto("/")
    page.get_by_label("Why it is nothing").fill("a new policy")
    page.get_by_role("button", name="Let pass: finding-surge").click()
    assert "a new policy" in page.locator("#breakers").inner_text()
    assert record(config, Acceptance, Table.SETTING, "accepted:finding-surge").by == f"web:{MIRA}"
    assert page.complaints == []
