"""`bursar.yaml`."""

from datetime import timedelta
from pathlib import Path

import pytest

from bursar.config import Config, PriceSettings, read_config
from bursar.config_document import CACHE
from engine.errors import ConfigError
from engine.policy.model import Mode
from integrations.aws.act_session import ActSettings
from integrations.aws.session import AwsSettings, OrganizationFilter
from integrations.catalog import default_catalog
from integrations.store.addresses import S3AnchorAddress, SqliteAddress

CATALOG = default_catalog()
FULL = """\
version: 1
policies: [policies, "pack:idle"]
max_mode: approve
protect:
  - tags.environment == "production"
  - resource.name.startsWith("core-")
aws:
  regions: [us-east-1, eu-central-1]
  profile: finops
prices: own/prices.yaml
state: sqlite:///data/state.db
anchor: s3://audit/bursar?retain=365d
fail_on: high
"""


def problems(folder: Path, text: str) -> list[str]:
    (folder / "bursar.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        read_config(folder / "bursar.yaml", CATALOG)
    return [str(problem).partition("bursar.yaml:")[2] for problem in caught.value.problems]


@pytest.mark.parametrize(("names", "hint"), [(["bursar.yml"], "call it"), (["bursar.yml", "bursar.yaml"], "keep one")])
def test_a_file_with_the_other_ending(here, names, hint):
    """It is not passed over with all that it protects; by name it is read."""
    for name in names:
        (here / name).write_text("version: 1\nfail_on: high\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="it would not be read: the configuration is called") as caught:
        read_config(None, CATALOG)
    assert caught.value.problems[0].hint.startswith(hint)
    assert read_config(Path("bursar.yml"), CATALOG).fail_on == "high"


def test_without_a_file(here):
    """Without a file there are defaults, and they only report."""
    found = read_config(None, CATALOG)
    assert found == Config(production=found.production)
    assert [clause.text for clause in found.production] == ['tags.environment in ["production", "prod", "live"]']
    assert Config().max_mode is Mode.REPORT
    assert Config().policies == ("policies",)


def test_every_key(here):
    """Every key is read; paths start from the file's folder."""
    (here / "sub").mkdir()
    (here / "sub" / "bursar.yaml").write_text(FULL, encoding="utf-8")
    found = read_config(here / "sub" / "bursar.yaml", CATALOG)
    assert found.policies == ("policies", "pack:idle")
    assert found.max_mode is Mode.APPROVE
    assert [clause.text for clause in found.protect] == [
        'tags.environment == "production"',
        'resource.name.startsWith("core-")',
    ]
    assert found.aws == AwsSettings(regions=("us-east-1", "eu-central-1"), profile="finops")
    assert found.prices == PriceSettings(here / "sub" / "own" / "prices.yaml", cache=here / "sub" / CACHE)
    assert found.state == SqliteAddress(here / "sub" / "data" / "state.db")
    assert found.anchor == S3AnchorAddress("audit", "bursar", retain=timedelta(days=365))
    assert found.fail_on == "high"


def test_where_prices_come_from(here):
    """In full, prices are the user's own, fetched files, AWS itself and commitments, with an age."""
    text = """\
version: 1
prices: {own: a.yaml, fetched: [b.json, c.json], live: true, cache: d.json, max_age: 3d, commitments: true}
"""
    (here / "bursar.yaml").write_text(text, encoding="utf-8")
    found = read_config(here / "bursar.yaml", CATALOG).prices
    files = (here / "b.json", here / "c.json")
    assert found == PriceSettings(here / "a.yaml", files, True, here / "d.json", timedelta(days=3), True)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("prices: {live: perhaps}", "`perhaps` cannot be used here"),
        ("prices: {max_age: 7}", "7"),
        ("prices: {max_age: 0h}", "no time at all"),
        ("prices: {fetch: a}", "did you mean `fetched`?"),
        ("prices: []", "a mapping is expected here, not a list"),
    ],
)
def test_mistakes_about_prices(here, text, problem):
    """Each mistake is told at its place."""
    (found,) = problems(here, f"version: 1\n{text}\n")
    assert found.startswith("2:")
    assert problem in found


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("aws: {accounts: [12]}", "`12` is not the id of an account [wrong-value] (it has twelve digits)"),
        ("aws: {regions: us-east-1}", "a list is expected here, not `us-east-1` [wrong-value] (write `[us-east-1]`)"),
        ("protect: tags.a == 'b'", """a list is expected here, not `tags.a == 'b'` [wrong-value] (write `["tags.a"""),
        ("prices: {live: perhaps}", "write `true` or `false`"),
        ("telemetry: [{promethues: {url: 'http://a'}}]", "did you mean `prometheus`?"),
        ("telemetry: [{prometheus: {url: 'http://a', tokn_env: A}}]", "did you mean `token_env`?"),
        ("people: {mira: {slak: U1}}", "did you mean `slack`?"),
        ("exemptions: [{owner: a, reason: b, expire: 2026-12-25, expires: 2026-12-25}]", "did you mean `expires`?"),
    ],
)
def test_the_way_out_of_a_mistake(here, text, problem):
    """What is nearly right is told with what to write, in lists and mappings of mappings too."""
    assert any(problem in found for found in problems(here, f"version: 1\n{text}\n"))


@pytest.mark.parametrize(
    ("key", "value", "hint"),
    [
        ("team", "ourteam", "write such as `T0123ABCD`"),
        ("app", "bursar", "write such as `A0123ABCD`"),
        ("escalate", "50", "write such as `50%`, or `never`"),
        ("address", "https://slack.com/api", "it begins with `https://` and ends with `/`"),
    ],
)
def test_mistakes_about_slack(here, key, value, hint):
    """Each says how the value looks."""
    slack = {"token": "env:A", "team": "T0123ABCD", "app": "A0123ABCD", "channel": "C1", key: value}
    lines = "".join(f"  {name}: {text}\n" for name, text in slack.items())
    (found,) = problems(here, f"version: 1\nslack:\n{lines}")
    assert hint in found


def test_many_accounts(here):
    """Accounts, organization, role and patience; the time limit of an account holds where there are several."""
    text = """\
version: 1
aws:
  regions: [enabled]
  accounts: [000000000012]
  organization: {include_ous: [ou-1], exclude_ous: [ou-2], tags: {governed: true}}
  role: BursarRead
  external_id: "0123"
  account_timeout: 5m
  bulk_tags: true
"""
    (here / "bursar.yaml").write_text(text, encoding="utf-8")
    assert read_config(None, CATALOG).aws == AwsSettings(
        regions=("enabled",),
        accounts=("000000000012",),
        organization=OrganizationFilter(("ou-1",), ("ou-2",), (("governed", "true"),)),
        role="BursarRead",
        external_id="0123",
        account_seconds=300,
        bulk_tags=True,
    )


def test_accounts_need_a_role(here):
    """Nobody can enter an account without one."""
    (found,) = problems(here, "version: 1\naws: {accounts: [123456789012]}\n")
    assert "none is named" in found


def test_the_file_here_is_found(here):
    """`bursar.yaml` in the current folder is used where none is named."""
    (here / "bursar.yaml").write_text("version: 1\nmax_mode: notify\n", encoding="utf-8")
    assert read_config(None, CATALOG).max_mode is Mode.NOTIFY


def test_all_mistakes_at_once(here):
    """Misspelt keys and values, and expressions over fields that not every kind has, are told together."""
    text = """\
version: 1
polices: [a]
max_mode: aprove
protect:
  - resource.instance.type == "p5.48xlarge"
  - tags.x ==
aws: {region: us-east-1}
"""
    found = problems(here, text)
    assert [line.split("  ")[0] for line in found] == ["2:1", "3:11", "5:14", "6:13", "7:7"]
    assert "did you mean `policies`?" in found[0]
    assert "did you mean `approve`?" in found[1]
    assert "did you mean `regions`?" in found[4]


@pytest.mark.parametrize("text", ["", "[]", "version: 2", "a", "version: 1\naws: {regions: []}"])
def test_files_that_are_no_configuration(here, text):
    """Anything else is refused with a place in the file or the file itself."""
    (here / "bursar.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError):
        read_config(None, CATALOG)


def test_a_file_that_is_not_there(here):
    """A configuration that was asked for and does not exist is an error, never the defaults."""
    with pytest.raises(ConfigError):
        read_config(here / "gone.yaml", CATALOG)


def test_the_state_is_beside_the_file(here):
    """Where nothing is said the state is a file beside the configuration, wherever that is."""
    (here / "sub").mkdir()
    (here / "sub" / "bursar.yaml").write_text("version: 1\n", encoding="utf-8")
    assert read_config(here / "sub" / "bursar.yaml", CATALOG).state == SqliteAddress(here / "sub" / "bursar.db")
    assert Config().state == SqliteAddress(Path("bursar.db"))
    assert Config().anchor is None


def test_bad_addresses(here):
    """State and anchor that cannot be understood are told together with everything else, at their places."""
    found = problems(here, "version: 1\nstate: mysql://x/y\nanchor: gs://x/y\nmax_mode: aprove\n")
    assert [line.split("  ")[0] for line in found] == ["4:11"]
    found = problems(here, "version: 1\nstate: mysql://x/y\nanchor: gs://x/y\n")
    assert [line.split("  ")[0] for line in found] == ["2:8", "3:9"]
    assert "there are `sqlite:///FILE`" in found[0]


@pytest.mark.parametrize("address", ["postgresql://u:hunter2@h/d", "postgresql://h/d?password=hunter2"])
def test_a_password_is_never_shown(bursar, here, address):
    """A password in the configuration is refused, and nothing of the message shows it."""
    (here / "bursar.yaml").write_text(f"version: 1\nstate: {address}\n", encoding="utf-8")
    ran = bursar("audit", "list")
    assert ran.status == 2
    assert "a password does not belong into the configuration" in ran.err
    assert "hunter2" not in ran.err + ran.out


ACT = """\
version: 1
aws:
  role: BursarRead
  act: {role: BursarAct, external_id: ours, accounts: ["012345678901"]}
"""


def test_who_acts_and_where(here):
    """The role that acts is another than the one that reads, and acts in the listed accounts alone."""
    (here / "bursar.yaml").write_text(ACT, encoding="utf-8")
    assert read_config(None, CATALOG).act == ActSettings("BursarAct", "ours", ("012345678901",))
    assert Config().act.accounts == ()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("role: BursarAct, ", ""),
        ('["012345678901"]', "[]"),
        ('["012345678901"]', "[1234]"),
        ("BursarAct", "BursarRead"),
    ],
)
def test_who_acts_has_to_be_said(here, before, after):
    """Without a role, without accounts, with an id that is none, or with the role that reads, nothing is loaded."""
    assert len(problems(here, ACT.replace(before, after))) == 1
