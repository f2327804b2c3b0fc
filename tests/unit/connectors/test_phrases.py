"""Free-text courier nodes: status, place and reason by the committed phrases, and how often they are right."""

import pytest

from ops.sources.score import SETS, Score, Text, score, texts
from schemas import phrases
from schemas.status import PARCEL
from streams.parcels import procedures

BAD = Text("Signed", "signed", "杭州市", "快件已发车")  # labelled wrongly, to see that it is counted


def wrong(name: str) -> list[tuple[str, phrases.Reading]]:
    """The texts of a set that are read otherwise than they are labelled, in status, reason or place."""
    read = [(text, phrases.read(text.text)) for text in texts(name)]
    return [
        (text.text, said)
        for text, said in read
        if text.status != said.status or text.reason not in {None, said.reason} or text.place not in {None, said.place}
    ]


@pytest.mark.parametrize("name", ["rules", "traces"])
def test_every_text_that_the_phrases_were_made_for(name: str) -> None:
    """Status, reason and place of each text of the sets that the phrases were developed on."""
    assert wrong(name) == []
    assert len(texts("rules")) >= 200


@pytest.mark.parametrize(("name", "precision", "recall"), [("kept", 0.97, 0.95), ("others", 0.94, 0.84)])
def test_texts_that_were_kept_apart(name: str, precision: float, recall: float) -> None:
    """On texts that nobody looked at while the phrases were changed, ours and others': no worse than when they were measured."""
    found = score(texts(name))
    assert found.texts >= 75
    assert (found.all.precision or 0) >= precision
    assert (found.all.recall or 0) >= recall
    assert found.places[0] >= 0.8 * found.places[1]
    assert found.reasons[0] >= 0.85 * found.reasons[1]


def test_no_text_is_in_two_sets() -> None:
    """What is measured apart is apart, and what is labelled is a status that exists."""
    kept = {text.text for name in ("kept", "others") for text in texts(name)}
    assert not kept & {text.text for name in ("rules", "traces") for text in texts(name)}
    assert {text.status for name in SETS for text in texts(name)} - {None} <= PARCEL


def test_a_wrong_reading_is_counted() -> None:
    """The measure sees one text read wrongly: as a miss of what it is and a false reading of what it is taken for."""
    found: Score = score([BAD])
    assert (found.statuses["Signed"].missed, found.statuses["InTransit"].wrong, found.all.right) == (1, 1, 0)
    assert (found.reasons, found.places) == ((0, 1), (0, 1))
    assert found.statuses["Signed"].precision is None


@pytest.mark.parametrize("text", ["", "您好", "客服电话95338", "温馨提示：请保持电话畅通", "待签收", "quux", "x" * 80])
def test_unknown_words_are_not_guessed(text: str) -> None:
    """A text that no phrase knows has no status."""
    assert phrases.read(text).status is None


@pytest.mark.parametrize(
    ("text", "status"),
    [
        (
            "[南昌市]【江西南昌象湖公司】的申通小哥（超区洪大赣江城/13800000000）正在为您派送（可放心接听95089申通专属派送号码）",
            "OutForDelivery",
        ),
        ("疫情期间圆通每天对网点多次消毒，快递小哥每天测量体温，佩戴口罩 已签收", "Signed"),
        (
            "【95720为中通快递员外呼专属号码，请放心接听】小哥今日体温正常，将佩戴口罩为您投递，也可以联系小哥将您的快递，放到您指定的代收点",
            "OutForDelivery",
        ),
        ("正在派送途中,请您准备签收(派件人:A,电话:000)", "OutForDelivery"),
        ('在官网"运单资料&签收图",可查看签收人信息', None),
        ("快件正在派送，如收件人不在家，将投放快递柜，如无人接听请回拨", "OutForDelivery"),
        ("【湖南长沙公司】投递妥投撤销", None),
        ("进口海关放行删除", None),
        ("退货未签收", "Returning"),
        ("快件尚未签收", None),
        ("预计明天18:00前派送", None),
    ],
)
def test_known_false_friends(text: str, status: str | None) -> None:
    """Boilerplate, conditions, forecasts and scans that are undone do not say what their words say elsewhere."""
    assert phrases.read(text).status == status


@pytest.mark.parametrize("place", ["国家会议中心", "高温新材料园", "大雪路", "隔离河", "偏远路", "台风街"])
def test_a_place_is_no_reason(place: str) -> None:
    """A word that would hold a parcel does not where it is a part of a name in brackets; as a reason in brackets it does."""
    assert phrases.read(f"快件到达【北京{place}网点】").status == "ArrivedAtStation"
    assert phrases.read("【北京网点】已进行留仓扫描，留仓原因【异常天气】").reason == "weather"


def test_movement_needs_a_verb() -> None:
    """In transit is what says that it moves: the name of a place alone, or of a courier, says nothing."""
    assert phrases.read("快件发往【北京转运中心】").status == "InTransit"
    assert phrases.read("【北京转运中心】").status is None
    assert phrases.read("顺丰速运 北京").status is None


@pytest.mark.parametrize(
    ("traditional", "simplified"),
    [("已簽收，簽收人：本人", "已签收，签收人：本人"), ("貨件清關中", "货件清关中"), ("快件到達【觀塘中轉場】", "快件到达【观塘中转场】")],
)
def test_traditional_characters(traditional: str, simplified: str) -> None:
    """Both ways of writing read alike; a place stays as it was written."""
    said = phrases.read(traditional)
    assert said.status == phrases.read(simplified).status is not None
    assert said.place == ("觀塘中轉場" if "觀" in traditional else None)


def test_letters_in_any_case() -> None:
    """English nodes are read in any case, also beside a Chinese name."""
    assert phrases.read("OUT FOR DELIVERY").status == phrases.read("【深圳】Out for delivery").status == "OutForDelivery"


def test_every_reason_that_holds_a_parcel_has_a_procedure() -> None:
    """A reason that the phrases give to a held parcel is one that people are told what to do about."""
    loaded = phrases.load()
    reasons = {phrase.reason for phrase in (*loaded.phrases, *loaded.english) if phrase.status == "Held"}
    assert reasons - procedures.load().held.keys() <= {"stalled", "held_generic", "delivery_timeout"}


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("快件已到达杭州转运中心", "杭州转运中心"),
        ("【杭州市】已揽收", "杭州市"),
        ("快件离开【泉州转运中心】已发往【南昌转运中心】", "泉州转运中心"),
        ("已签收", None),
    ],
)
def test_place(text: str, place: str | None) -> None:
    """The place is where the parcel is, as the text names it."""
    assert phrases.read(text).place == place


def test_long_texts_are_cut() -> None:
    """Only the beginning is read, so that no text takes long."""
    assert phrases.read("啊" * 500 + "已签收").status is None
    assert phrases.read("（" + "1" * 4000).status is None


@pytest.mark.parametrize(
    "unit", ["（", "（1", "【", "由", "已从", "投递员", "(派件员", "签收", "退", "海关", "如", "a", "delivered ", "在【", "被1"]
)
def test_hostile_texts_end(unit: str) -> None:
    """Ten kilobytes of what nearly matches are read, as far as texts are read, and no pattern goes back and forth for ever."""
    text = unit * 10_000
    assert phrases.load().read(text[:10_000]) == phrases.load().read(text[: phrases.LONGEST])


@pytest.mark.parametrize(
    "wrong",
    [
        "phrases: 1",
        "strip: []\nplaces: []\nphrases: [{match: '(', status: Signed, reason: x}]",
        "strip: []\nplaces: []\nphrases: [{match: a, status: Sined, reason: x}]",
    ],
)
def test_a_wrong_file_is_refused(wrong: str) -> None:
    """A broken pattern or an unknown status names the file."""
    with pytest.raises(ValueError, match=r"phrases\.yaml"):
        phrases.parse(wrong, "phrases.yaml")
