from bursar.demo.faults import Call, FaultTable, Spoiled

EAST = Call("ec2", "DescribeInstances", "us-east-1")
WEST = Call("ec2", "DescribeInstances", "us-west-2")


def _table(spec, clock=lambda: 0.0):
    table = FaultTable(clock)
    table.replace(spec)
    return table


def _spoiled(table, call, count):
    """Which of so many calls are spoiled, counting from 1."""
    return [i for i in range(1, count + 1) if table.decide(call)[1] is not None]


def test_without_faults_nothing_is_spoiled():
    """An empty table lets every call pass at once."""
    assert _table({}).decide(EAST) == (0.0, None)


def test_the_most_specific_key_applies():
    """An operation's own fault hides those of its service and of everything."""
    table = _table({"*": {"denied": True}, "ec2:*": {"throttled": True}, "ec2:DescribeInstances": {"latency_ms": 20}})

    assert table.decide(EAST) == (0.02, None)
    assert table.decide(Call("ec2", "DescribeVolumes", "us-east-1")) == (0.0, Spoiled("throttled"))
    assert table.decide(Call("s3", "ListBuckets", "us-east-1")) == (0.0, Spoiled("denied"))


def test_an_error_rate_is_spread_evenly():
    """One call in four fails, the same ones in every run."""
    assert _spoiled(_table({"*": {"error_rate": 0.25}}), EAST, 12) == [4, 8, 12]


def test_an_error_rate_of_one_spoils_every_call():
    """The whole range of shares is usable."""
    assert _spoiled(_table({"*": {"error_rate": 1}}), EAST, 3) == [1, 2, 3]


def test_a_fault_may_begin_with_a_later_call():
    """`after: 2` lets the first page through and spoils all others."""
    assert _spoiled(_table({"ec2:*": {"denied": True, "after": 2}}), EAST, 4) == [2, 3, 4]


def test_a_fault_may_end():
    """`times: 2` spoils two calls; a retry then succeeds."""
    assert _spoiled(_table({"ec2:*": {"throttled": True, "times": 2}}), EAST, 4) == [1, 2]


def test_a_fault_may_be_confined_to_a_region():
    """Calls elsewhere pass and are not counted."""
    table = _table({"ec2:*": {"denied": True, "region": "us-west-2", "after": 2}})

    assert _spoiled(table, EAST, 3) == []
    assert _spoiled(table, WEST, 3) == [2, 3]


def test_several_faults_may_share_a_key():
    """The first whose region fits applies."""
    table = _table({"*": [{"denied": True, "region": "us-west-2"}, {"throttled": True}]})

    assert table.decide(WEST)[1] == Spoiled("denied")
    assert table.decide(EAST)[1] == Spoiled("throttled")


def test_a_rate_lets_a_burst_through_and_then_refills():
    """Two at once, the third is throttled; half a second later one more passes."""
    now = [100.0]
    table = _table({"*": {"rate": 2, "burst": 2}}, lambda: now[0])

    assert _spoiled(table, EAST, 3) == [3]
    now[0] += 0.5
    assert _spoiled(table, EAST, 2) == [2]


def test_the_code_and_status_can_be_chosen():
    """For errors that are none of the three usual ones."""
    table = _table({"*": {"denied": True, "code": "ExpiredToken", "status": 400}})

    assert table.decide(EAST)[1] == Spoiled("denied", "ExpiredToken", 400)
