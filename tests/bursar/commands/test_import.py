"""`bursar import custodian`: what it says of policies that others wrote."""

import re

HIDDEN = "[\x00-\x09\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]"
POLICIES = """\
policies:
  - {name: "a\\e[31mred\\u202e", resource: "aws.ec2\\e]0;title\\a", filters: [{"Key\\e[1m": x}]}
  - {name: "b\\e[31m", resource: aws.ec2, filters: [{State.Name: running}], actions: ["stop\\e[31m", "x\\u202ey"]}
"""


def test_hostile_names(bursar, here):
    """No escape or reordering mark of a policy file reaches the terminal or the file that is written."""
    (here / "c.yml").write_text(POLICIES, encoding="utf-8")
    result = bursar("import", "custodian", "c.yml")
    assert result.status == 3
    assert "translated 1 of 2 policies" in result.err
    assert re.findall(HIDDEN, result.out + result.err) == []


def test_what_became_of_each(bursar, here):
    """With file and line: translated, with its remarks, or not, with the reason; the count comes first."""
    (here / "c.yml").write_text(
        "policies:\n"
        "  - {name: keys, resource: aws.ec2, filters: [{KeyName: x}]}\n"
        "  - {name: runs, resource: aws.ec2, filters: [{State.Name: running}], actions: [reboot]}\n",
        encoding="utf-8",
    )
    result = bursar("import", "custodian", "c.yml", "-o", "ours.yaml")
    assert result.out == ""
    lines = result.err.splitlines()
    assert lines[0] == "translated 1 of 2 policies to ours.yaml"
    assert "  c.yml:3  runs: the action `reboot` has no equal: nothing is done in its place" in lines
    assert "  c.yml:2  keys: no field of `aws.ec2.instance` holds what `KeyName` does" in lines
    assert bursar("validate", "ours.yaml").status == 0
