"""The page of sources, what a code or a text is taken for, and the commands that say so."""

import json

import pytest
from typer.testing import CliRunner

from connectors.registry import CONNECTORS
from ops.cli import app
from ops.sources.lookup import found, nearest, reading, stated, table_of, unstated
from ops.sources.page import PAGE, names, page
from ops.usage import UsageError
from schemas import mapping
from schemas.tables import Entry, Table


def ran(*arguments: str) -> tuple[int, str]:
    """A command's exit status and what it printed."""
    result = CliRunner().invoke(app, ["mapping", *arguments])
    return result.exit_code, result.stdout


def test_the_page_is_what_the_code_says() -> None:
    """SOURCES.md says what connectors, tables and scores say now; `python -m ops.sources` writes it."""
    assert PAGE.read_text(encoding="utf-8") == page()


def test_every_source_is_on_the_page() -> None:
    """Each connector and each table has a row and a part of its own, and write-back is said to be out of scope."""
    said = page()
    assert set(names()) == {*CONNECTORS, *mapping.sources()}
    assert [name for name in names() if f"\n| `{name}` |" not in said or f"\n### {name}\n" not in said] == []
    assert "Write-back is out of scope" in said


def test_a_code_is_found_in_any_case_and_by_any_name() -> None:
    """ZTO by its Chinese name, a code in small letters: all fields that have it, or the one that is asked for."""
    table = table_of("中通")
    assert [(row.field, row.entry.status) for row in found(table, "arrival", None)] == [
        ("push", "ArrivedAtHub"),
        ("query", "AwaitingPickup"),
    ]
    assert [row.field for row in found(table, "ARRIVAL", "query")] == ["query"]
    assert nearest(table, "ARIVAL", "push")[0].entry.code == "ARRIVAL"


@pytest.mark.parametrize(("source", "field", "said"), [("douyn", None, "douyin"), ("zto", "psh", "push")])
def test_an_unknown_name_is_told_with_the_nearest(source: str, field: str | None, said: str) -> None:
    """A misspelled source or field is an error that names what may have been meant."""
    with pytest.raises(UsageError, match=said):
        found(table_of(source), "1", field)


def test_a_reading_names_its_phrase() -> None:
    """A text is explained by the phrase that reads it and its number; one that none reads has neither."""
    said = reading("快件到达【杭州转运中心】")
    assert (said["status"], said["place"], said["phrase"].split()[0]) == ("ArrivedAtHub", "杭州转运中心", "phrases")
    assert reading("Out for delivery")["phrase"].startswith("english")
    assert reading("您好")["phrase"] is None


def test_what_a_source_cannot_say_is_listed() -> None:
    """Statuses that a source of its kind should state are listed where no row states them, and counted."""
    row = Entry("1", "parcel", "Signed", "签收", "sdk", "x")
    table = Table("x", "courier", {"code": {"1": row}})
    assert unstated(table) == ["InTransit", "OutForDelivery", "PickedUp", "Returning"]
    assert stated(table) == (1, 20)
    paid = Entry("1", "fulfilment", "PaymentPending", "待付", "sdk", "x")
    assert "Created" not in unstated(Table("x", "channel", {"code": {"1": paid}}))


def test_mapping_show() -> None:
    """All rows of a source, with how many of the publicly known codes it has."""
    status, said = ran("show", "zto", "--json")
    shown = json.loads(said)
    assert (status, shown["publicly_known"], shown["mapped"], shown["kind"]) == (0, 37, 37, "courier")
    assert {row["field"] for row in shown["rows"]} == {"push", "query"}
    assert "37 of 37 publicly known ones" in ran("show", "zto", "--field", "push")[1]


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("sf", "80"), 0, "Signed 已签收 on the axis parcel"),
        (("sf", "8000"), 0, "states no status"),
        (("sf", "快件到达【北京转运中心】"), 0, "ArrivedAtHub 到达中转, reason arrived_hub, place 北京转运中心"),
        (("zto", "【X】退回件撤销"), 0, "states no status"),
        (("zto", "ARIVAL"), 1, "ARRIVAL"),
        (("douyin", "已签收"), 1, "unmapped_status"),  # the words of a channel are not read
    ],
)
def test_mapping_try(arguments: tuple[str, ...], status: int, said: str) -> None:
    """What a code or a courier's text is taken for; what nothing knows has exit status 1 and the nearest codes."""
    code, text = ran("try", *arguments)
    assert (code, said in text) == (status, True), text


def test_mapping_try_for_machines() -> None:
    """JSON has the rows, the reading or the nearest codes."""
    assert json.loads(ran("try", "zto", "GOT", "--json")[1])["codes"][0]["status"] == "PickedUp"
    assert json.loads(ran("try", "zto", "已签收,签收人:本人", "--json")[1])["text"]["status"] == "Signed"
    assert len(json.loads(ran("try", "zto", "nothing", "--json")[1])["nearest"]) == 5


def test_mapping_score() -> None:
    """Precision and recall of each set, for people and for machines."""
    shown = json.loads(ran("score", "--json")[1])
    assert set(shown) == {"rules", "traces", "kept", "others"}
    assert shown["kept"]["precision"] >= 0.97
    assert "precision" in ran("score")[1]
