"""The mapping tables: every code that is publicly known, and errors with file and line."""

import pytest

from schemas import couriers, known, mapping
from schemas.tables import Entry

GOOD = """source: x
kind: channel
provenance: {doc: "a page"}
fields:
  status:
    axis: fulfilment
    codes:
      "1": {status: Created, label_zh: 新, trust: documented, from: doc}
"""


def test_every_known_code_is_mapped() -> None:
    """No code that is publicly known is missing in our tables, or it is excepted with a reason."""
    assert known.missing() == []
    assert all(known.EXCEPTIONS.values())
    mapped = {facts: has + excepted for facts, (has, excepted, _) in known.coverage().items()}
    assert mapped == {"channels": 523, "couriers": 1418}


def test_tables_differ_from_the_facts_only_with_a_reason() -> None:
    """A row that reads a code otherwise than it is publicly taken for says why, or follows a rule of ours; no word means two things."""
    assert known.gaps() == []


@pytest.mark.parametrize(
    ("status", "note", "said"), [("Shipped", None, False), ("Signed", None, True), ("Signed", "why", False), (None, None, True)]
)
def test_a_difference_needs_a_note(status: str | None, note: str | None, said: bool) -> None:
    """Another status, or none, than the facts have is told where no note says why."""
    row = Entry("1", "fulfilment", status, "x", "sdk", "", note=note)
    assert known.differs(known.Known("channels", "x", "status", "1", "Shipped"), row) is said
    assert not known.differs(known.Known("channels", "x", "status", "1", "Unknown"), Entry("1", "fulfilment", None, "x", "sdk", ""))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "known.csv:1: the columns"),
        ("facts,source,field,code,guess\na,b,c,d", "known.csv:2: a row needs 5"),
        ("facts,source,field,code,guess\na,b,c,,e", "known.csv:2: a row needs 5"),
        ("facts,source,field,code,guess\na,b,c,d,e\na,b,c,d,f", "known.csv:3: b c d stands twice"),
    ],
)
def test_a_wrong_list_of_known_codes_is_told_with_its_line(text: str, said: str) -> None:
    """The file is read as strictly as a table."""
    with pytest.raises(ValueError, match=said):
        known.parse(text, "known.csv")


def test_committed_tables_are_sound() -> None:
    """`lockstep check` finds nothing wrong in them."""
    assert mapping.problems() == []
    assert mapping.sources() >= {"douyin", "taobao", "pinduoduo", "wechat_shop", "jushuitan", "kuaidi100", "zto"}


@pytest.mark.parametrize(
    ("change", "line", "said"),
    [
        (("Created", "Teleported"), 8, "'Teleported' is no canonical status of the axis fulfilment"),
        (('"1":', "1:"), 8, "must be text: put it in quotes"),
        (("trust: documented", "trust: sure"), 8, "trust 'sure' is none of documented, inferred, sdk"),
        (("from: doc", "from: dok"), 8, "from 'dok' is none of doc"),
        (("axis: fulfilment", "axis: fulfillment"), 6, "axis 'fulfillment' is none of"),
        (("label_zh", "lable_zh"), 8, "unknown key 'lable_zh' in code 1"),
        (("kind: channel", "kind: shop"), 2, "kind 'shop' is none of"),
        (("kind: channel", "knd: channel"), 2, "unknown key 'knd'"),
    ],
)
def test_a_wrong_table_is_told_with_its_line(change: tuple[str, str], line: int, said: str) -> None:
    """Each mistake names the file and the line, and what would be right."""
    with pytest.raises(mapping.MappingError) as caught:
        mapping.parse(GOOD.replace(*change), "x.yaml")
    assert any(problem.startswith(f"x.yaml:{line}: ") and said in problem for problem in caught.value.problems)


def test_a_code_twice_is_an_error() -> None:
    """Of two rows for one code neither is believed."""
    row = '      "1": {status: Signed, label_zh: 新, trust: sdk, from: doc}\n'
    with pytest.raises(mapping.MappingError, match=r"x\.yaml:9: '1' stands twice"):
        mapping.parse(GOOD + row, "x.yaml")


def test_a_good_table_is_read() -> None:
    """A row has its axis, status and where it is from."""
    entry = mapping.parse(GOOD, "x.yaml").get("status", "1")
    assert entry is not None
    assert (entry.axis, entry.status, entry.trust, entry.provenance) == ("fulfilment", "Created", "documented", "a page")


def test_no_table_is_said() -> None:
    """A source without a table is an error that names the file."""
    with pytest.raises(LookupError, match=r"nowhere\.yaml"):
        mapping.load("nowhere")


@pytest.mark.parametrize(
    ("name", "ours"), [("zhongtong", "zto"), ("ZTO", "zto"), ("中通快递", "zto"), (" jd ", "jd_logistics"), ("Some:New", "some_new")]
)
def test_couriers_have_one_name(name: str, ours: str) -> None:
    """Whatever a platform calls a courier, its parcels have one key."""
    assert couriers.ours(name) == ours


def test_a_courier_name_for_two_is_an_error() -> None:
    """An alias that stands for two couriers is refused."""
    with pytest.raises(ValueError, match="'A' stands for x and for y"):
        couriers.parse("x: [a]\ny: [A, a]", "couriers.yaml")
