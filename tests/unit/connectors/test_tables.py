"""The mapping tables: every code of the public facts, and errors with file and line."""

import json
from pathlib import Path

import pytest

from schemas import couriers, mapping

CODES = json.loads((Path(__file__).parent / "data" / "codes.json").read_text(encoding="utf-8"))
ROWS = [(source, field, code, guess) for source, fields in CODES.items() for field, rows in fields.items() for code, guess in rows.items()]
GOOD = """source: x
kind: channel
provenance: {doc: "a page"}
fields:
  status:
    axis: fulfilment
    codes:
      "1": {status: Created, label_zh: 新, trust: documented, from: doc}
"""


def test_every_code_of_the_facts_is_mapped() -> None:
    """No code that is publicly known is missing in our tables."""
    missing = [(source, field, code) for source, field, code, _ in ROWS if mapping.load(source).get(field, code) is None]
    assert missing == []
    assert len(ROWS) == 261


@pytest.mark.parametrize(("source", "field", "code", "guess"), ROWS, ids=lambda value: str(value)[:24])
def test_differs_from_the_facts_only_with_a_reason(source: str, field: str, code: str, guess: str) -> None:
    """A row that reads a code otherwise than the facts do says why, or follows a rule of ours."""
    entry = mapping.load(source).get(field, code)
    assert entry is not None
    if entry.status == guess or (entry.status is None and guess == "Unknown"):
        return
    closed = entry.axis == "aftersale" and (guess, entry.status) == ("Closed", "RefundClosed")
    undecided = entry.axis == "aftersale" and (guess, entry.status) in {("OnHold", "RefundRequested"), ("Signed", None)}
    assert closed or undecided or entry.note, entry


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
