"""Free-text courier nodes: status, place and reason by the committed phrases."""

import json
from pathlib import Path

import pytest

from schemas import phrases

DATA = json.loads((Path(__file__).parent / "data" / "phrases.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("example", DATA["examples"], ids=lambda example: str(example["reason"]))
def test_each_phrase_reads_its_example(example: dict[str, str | None]) -> None:
    """The first phrase that matches an example is its own."""
    reading = phrases.read(str(example["text"]))
    assert (reading.status, reading.reason) == (example["status"], example["reason"])


@pytest.mark.parametrize("case", DATA["regression"], ids=lambda case: str(case["text"])[:20])
def test_real_traces(case: dict[str, str | None]) -> None:
    """Texts with real boilerplate read as they should."""
    assert phrases.read(str(case["text"])).status == case["status"]


@pytest.mark.parametrize("text", ["", "您好", "客服电话95338", "温馨提示：请保持电话畅通"])
def test_unknown_words_are_not_guessed(text: str) -> None:
    """A text that no phrase knows has no status."""
    assert phrases.read(text).status is None


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
