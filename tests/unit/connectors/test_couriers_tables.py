"""Couriers' tables: the form in CSV, every known code, and what their authors fell for."""

import re
from pathlib import Path

import pytest

from connectors import parcels
from connectors.registry import CONNECTORS
from schemas import couriers, mapping, phrases
from schemas.facts import Unusable
from schemas.mapping import MappingError
from schemas.status import MOVEMENTS, PARCEL
from streams.parcels import procedures

GOOD = """# Some words about it: for people.
# source: x
# kind: courier
# provenance.doc: a page, of 2022
field,code,status,label_zh,trust,from,note
op,1,Signed,签收,documented,doc,
op,2,,备注,sdk,doc,"says nothing, by itself"
"""
TABLES = [mapping.load(source) for source in sorted(mapping.sources()) if mapping.load(source).kind == "courier"]
NOTICE = Path(__file__).parents[3] / "NOTICE"


def status(source: str, field: str, code: str) -> str | None:
    """The status of a row that is there."""
    entry = mapping.load(source).get(field, code)
    assert entry is not None, (source, field, code)
    return entry.status


def test_a_table_in_csv() -> None:
    """A row has its status, label, trust, provenance and note; an empty status is none."""
    table = mapping.parse(GOOD, "x.csv")
    first, second = table.get("op", "1"), table.get("op", "2")
    assert (table.source, table.kind) == ("x", "courier")
    assert first is not None
    assert (first.axis, first.status, first.label_zh, first.provenance) == ("parcel", "Signed", "签收", "a page, of 2022")
    assert second is not None
    assert (second.status, second.note) == (None, "says nothing, by itself")


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("1,Signed", "1,Delivered", 6, "'Delivered' is no canonical status of the axis parcel"),
        ("documented,doc", "sure,doc", 6, "trust 'sure' is none of documented, inferred, sdk"),
        ("documented,doc", "documented,dok", 6, "from 'dok' is none of doc"),
        ("op,2,", "op,1,", 7, "'1' stands twice in field op"),
        ("op,2,", "op,,", 7, "a row has no code"),
        ("op,2,", "o p,2,", 7, "field 'o p' is no name"),
        ('"says nothing, by itself"', "says nothing, by itself", 7, "8 cells, not 7: a text with a comma needs quotes"),
        ('"says nothing, by itself"', '"says nothing', 7, "unexpected end of data"),
        ("trust,from,note", "trust,note,form", 5, "unknown column 'form'"),
        ("trust,from,note", "trust,note,form", 5, "missing column 'from'"),
        ("# kind: courier", "# knd: courier", 1, "the line `# kind: …` is missing"),
        ("# kind: courier", "# kind: post", 1, "kind 'post' is none of channel, courier, system"),
        ("# kind: courier", "# kind: courier\n# kind: channel", 4, "kind stands twice"),
        ("from,note", "from,axis", 7, "axis 'says nothing, by itself' is none of aftersale, fulfilment, parcel, stock"),
        ("from,note", "from,reason", 7, "'says nothing, by itself' is no reason such as over_area"),
    ],
)
def test_a_wrong_csv_is_told_with_its_line(old: str, new: str, line: int, said: str) -> None:
    """Each mistake names the file and the line, and what would be right."""
    with pytest.raises(MappingError) as caught:
        mapping.parse(GOOD.replace(old, new), "x.csv")
    assert any(problem.startswith(f"x.csv:{line}: ") and said in problem for problem in caught.value.problems), caught.value.problems


def test_an_empty_csv_is_wrong() -> None:
    """A file without anything is no table."""
    with pytest.raises(MappingError):
        mapping.parse("", "x.csv")


def test_every_courier_has_its_table() -> None:
    """Couriers and aggregators of which codes are known, under our names."""
    names = {table.source for table in TABLES}
    assert names == {
        *("sf", "zto", "yto", "sto", "yunda", "jt", "ems", "jd_logistics", "deppon", "best", "rrs", "cainiao", "kuaidi100", "kdniao"),
        *("track17", "aftership", "trackingmore", "karrio", "dhl", "dhl_express", "fedex", "usps", "ups", "fourpx", "yanwen"),
    }
    assert sum(len(rows) for table in TABLES for rows in table.fields.values()) >= 1418


def test_every_row_is_for_people_too() -> None:
    """Each row has a Chinese label, and one that states nothing says why."""
    for table in TABLES:
        for field, rows in table.fields.items():
            for entry in rows.values():
                assert re.search("[\u4e00-\u9fff]", entry.label_zh), (table.source, field, entry.code)
                assert entry.status in PARCEL or entry.note, entry


def test_reasons_have_a_procedure() -> None:
    """What a code gives as a reason is known: a procedure of a held parcel, or a phrase's reason."""
    known = {phrase.reason for phrase in phrases.load().phrases} | set(procedures.load().held) | {parcels.REVERSAL}
    reasons = {entry.reason for table in TABLES for rows in table.fields.values() for entry in rows.values() if entry.reason}
    assert reasons <= known
    assert {"over_area", "weather", "intercepted", "stalled", "address_unclear"} <= reasons


def test_pushed_tables_have_their_connector() -> None:
    """Each courier whose push is publicly known has a connector; the rest speak through `generic`."""
    pushed = {"sf", "yto", "sto", "zto", "jt", "cainiao", "kdniao", "kuaidi100", "track17", "aftership", "trackingmore"}
    assert {name for name, connector in CONNECTORS.items() if connector.kinds == {"courier"}} == pushed


def test_trap_1_sf_is_read_by_its_own_table() -> None:
    """OLTS has 30 = picked up, 80 = arrived, 160 = signed; SF has 50 picked up, 30 loaded, 80 signed, and no 160."""
    assert [status("sf", "opCode", code) for code in ("50", "30", "80")] == ["PickedUp", "InTransit", "Signed"]
    assert mapping.load("sf").get("opCode", "160") is None
    assert not any("OLTS" in entry.provenance for rows in mapping.load("sf").fields.values() for entry in rows.values())


def test_trap_2_jts_own_templates_decide() -> None:
    """出仓 is out for delivery, 出库 is signed with the pick-up code, and the rows say that OLTS differs."""
    assert status("jt", "scan", "5") == status("jt", "op", "94") == "OutForDelivery"
    assert status("jt", "scan", "9") == status("jt", "op", "300") == "Signed"
    for code in ("5", "9"):
        entry = mapping.load("jt").get("scan", code)
        assert entry is not None
        assert "OLTS" in (entry.note or "")
    assert status("jt", "scan", "12") == "InTransit"


def test_trap_3_zto_reuses_words() -> None:
    """ARRIVAL and DEPARTURE mean one thing in a push, another in a query."""
    assert (status("zto", "push", "ARRIVAL"), status("zto", "query", "ARRIVAL")) == ("ArrivedAtHub", "AwaitingPickup")
    assert (status("zto", "push", "DEPARTURE"), status("zto", "query", "DEPARTURE")) == ("InTransit", "Exception")


def test_trap_4_sf_8000_needs_its_reason() -> None:
    """8000 alone states nothing, with a reason it does."""
    assert status("sf", "opCode", "8000") is None
    assert {code: status("sf", "opCode_reasonCode", f"8000+{code}") for code in "1246"} == {
        "1": "Signed",
        "2": "Exception",
        "4": "Returned",
        "6": "Lost",
    }


def test_trap_6_sf_44_may_come_before_204() -> None:
    """Both are out for delivery: the watch of a delivery begins with the first and goes on with the second."""
    assert status("sf", "opCode", "44") == status("sf", "opCode", "204") == "OutForDelivery"


def test_trap_7_two_aggregators_swap_their_codes() -> None:
    """AfterShip's 010 is returning and 011 returned; TrackingMore's the other way round."""
    assert [status("aftership", "subtag", f"Exception_{code}") for code in ("010", "011", "013")] == ["Returning", "Returned", "Lost"]
    assert [status("trackingmore", "delivery_status", f"exception{code}") for code in ("010", "011")] == ["Returned", "Returning"]
    assert status("aftership", "subtag", "Exception_016") == "Held"
    assert status("aftership", "subtag", "Delivered_005") == "SignedByProxy"


EMS_UNDOES = (
    "207",
    "212",
    "304",
    "424",
    "448",
    "472",
    "474",
    "483",
    "742",
    "743",
    "744",
    "EDAD",
    "EDCD",
    "EMED",
    "EXAD",
    "EXBD",
    "EXCD",
    "EXDD",
)
REVERSALS = [("ems", "code", code) for code in EMS_UNDOES] + [("jt", "op", code) for code in ("171", "191", "401")]


@pytest.mark.parametrize(("source", "field", "code"), REVERSALS, ids=str)
def test_trap_8_what_undoes_a_scan_states_nothing(source: str, field: str, code: str) -> None:
    """A reversal has no status, says what it undoes, and is a dead letter that sends a person to look, never silence."""
    table = mapping.load(source)
    entry = table.get(field, code)
    assert entry is not None
    assert (entry.status, entry.reason) == (None, parcels.REVERSAL)
    assert (entry.note or "").startswith("undoes ")
    assert not parcels.silent(table, code, field)
    with pytest.raises(Unusable, match="look at the parcel"):
        parcels.meaning(table, code, field)


def test_trap_9_kuaidi100() -> None:
    """Codes stop at 210; 14 is a refusal; put into a locker and taken out of it differ."""
    assert mapping.load("kuaidi100").get("code", "211") is None
    assert [status("kuaidi100", "code", code) for code in ("14", "501", "304")] == ["Rejected", "AwaitingPickup", "Signed"]


def test_trap_10_kdniaos_timers_are_no_movement() -> None:
    """What Kdniao's own timers say never ends a stall of ours."""
    assert all(status("kdniao", "state", code) not in MOVEMENTS for code in ("401", "402", "403"))
    assert status("kdniao", "state", "412") == "AwaitingPickup"  # its words say that the parcel lies there


def test_trap_11_cainiao() -> None:
    """The sub-status says that a parcel waits; a generic transit of the global list is no movement."""
    assert (status("cainiao", "logisticsStatus", "STA_INBOUND"), status("cainiao", "logisticsStatus", "DELIVERING")) == (
        "AwaitingPickup",
        "OutForDelivery",
    )
    assert status("cainiao", "actionCode", "COMMON_INTRANSIT") is None
    assert status("cainiao", "actionCode", "REJECT") == "Exception"  # the pick-up failed, nobody refused


def test_trap_12_karrios_guesses_are_not_taken_for_documents() -> None:
    """Karrio's rows about other couriers are trusted as code, not as documents; its own words are its definition."""
    foreign = [
        entry for source in ("fedex", "ups", "dhl_express") for rows in mapping.load(source).fields.values() for entry in rows.values()
    ]
    assert all(entry.trust != "documented" for entry in foreign if "karrio" in entry.provenance)
    assert {entry.trust for rows in mapping.load("karrio").fields.values() for entry in rows.values()} == {"documented"}


def test_messages_between_posts_do_not_move_a_parcel() -> None:
    """Electronic messages and plans of EMS state nothing: a stall must not end with them."""
    assert {status("ems", "code", code) for code in ("499", "552", "554", "555", "556", "557", "558")} == {None}


def test_the_notice_names_every_table_of_olts() -> None:
    """CC BY 4.0 asks for attribution: NOTICE names each table that uses rows of OLTS, with the commit and the licence."""
    words = NOTICE.read_text(encoding="utf-8")
    used = [t.source for t in TABLES if any("OLTS" in entry.provenance for rows in t.fields.values() for entry in rows.values())]
    assert used
    for source in used:
        assert f"{source}.{'yaml' if source == 'zto' else 'csv'}" in words
    assert {"CC BY 4.0", "db983b0792"} <= set(re.findall(r"CC BY 4\.0|db983b0792", words))


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        *(("SF", "sf"), ("YD", "yunda"), ("JTSD", "jt"), ("HTKY", "best"), ("YZPY", "ems"), ("DBL", "deppon"), ("DBKD", "deppon")),
        *(
            ("POSTB", "ems"),
            ("CP570969", "cainiao"),
            ("yto-express", "yto"),
            ("china-post", "ems"),
            ("J&T Express", "jt"),
            ("4px", "fourpx"),
        ),
    ],
)
def test_aggregators_names_of_couriers(name: str, ours: str) -> None:
    """Whatever an aggregator calls a courier, its parcels have one key."""
    assert couriers.known(name)
    assert couriers.ours(name) == ours


def test_a_table_in_two_forms_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A source with a YAML and a CSV table is a problem: nobody would know which is read."""
    (tmp_path / "x.csv").write_text(GOOD, encoding="utf-8")
    (tmp_path / "x.yaml").write_text("source: x\nkind: courier\nprovenance: {}\nfields: {}\n", encoding="utf-8")
    monkeypatch.setattr(mapping, "FOLDER", tmp_path)
    mapping.files.cache_clear()
    mapping.sources.cache_clear()
    try:
        assert "schemas/mappings/x.csv:1: there is a x.yaml too: one table is enough" in mapping.problems()
    finally:
        mapping.files.cache_clear()
        mapping.sources.cache_clear()


@pytest.mark.parametrize("text", ["[" * 1999, "{a: " * 1990, "- " * 1999, "[" * 50_000, "- " * 50_000, "? " * 50_000, "a: [\n", "\t- x"])
def test_yaml_without_end_is_told(text: str) -> None:
    """Whatever is in a file, it is read or refused: the fast reader is not given what would end the process."""
    with pytest.raises(MappingError, match=r"x\.yaml"):
        mapping.parse(text, "x.yaml")
