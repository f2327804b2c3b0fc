"""Channels that need more than a secret, as a merchant writes them in `lockstep.yaml`."""

from pathlib import Path

import pytest

from connectors.config import Shop
from ops.config import ConfigError, load

GOOD = """merchant: demo
shops:
  - {source: jd, shop: "10086", app_key: k, secret: "plain:s", pull: {token: "plain:t", refresh: "plain:r"}}
  - {source: kuaishou, shop: "12342323", app_key: ks1, secret: "plain:s", aes_key: "plain:AAECAwQFBgcICQoLDA0ODw==",
     pull: {secret: "plain:sign", token: "plain:t", refresh: "plain:r", feeds: [orders]}}
  - {source: xiaohongshu, shop: 5f0c, app_key: a, secret: "plain:s", token: "plain:x", options: {push_auth: query_token}}
  - {source: youzan, shop: "63077", app_key: c, secret: "plain:s", pull: {}}
"""


def _load(folder: Path, text: str) -> dict[str, Shop]:
    file = folder / "lockstep.yaml"
    file.write_text(text, encoding="utf-8")
    return {shop.name: shop for shop in load(file, {}).shops}


def test_all_four_are_taken(tmp_path: Path) -> None:
    """What each needs can be written, and reaches its connector and its puller."""
    shops = _load(tmp_path, GOOD)
    assert shops["xiaohongshu"].options == {"push_auth": "query_token"}
    assert shops["kuaishou"].call_secret == "sign"
    assert shops["kuaishou"].pull is not None
    assert shops["kuaishou"].pull.feeds == ("orders",)
    assert shops["youzan"].pull is not None


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        (', pull: {token: "plain:t", refresh: "plain:r"}}', "}", 3, "jd pushes nothing: without `pull:` nothing is ever heard of it"),
        ("app_key: k, ", "", 3, "jd 10086 needs app_key and secret"),
        ("AAECAwQFBgcICQoLDA0ODw==", "AAEC", 4, "aes_key must be base64 of a key of 16, 24 or 32 bytes"),
        ('secret: "plain:sign", ', "", 4, "pull.secret (signSecret"),
        ("feeds: [orders]", "feeds: [cases]", 4, "kuaishou has no feed 'cases'; it has orders, refunds"),
        ("query_token", "trust_me", 6, "push_auth 'trust_me' is neither header_sign nor query_token"),
        (', token: "plain:x"', "", 6, "xiaohongshu 5f0c needs token"),
        ("app_key: c, ", "", 7, "youzan 63077 needs app_key (client_id)"),
    ],
)
def test_what_is_missing_is_told_with_its_line(tmp_path: Path, old: str, new: str, line: int, said: str) -> None:
    """A shop that could never be heard is refused when the program starts, not found out a day later."""
    assert old in GOOD
    with pytest.raises(ConfigError) as caught:
        _load(tmp_path, GOOD.replace(old, new, 1))
    problems = [str(problem) for problem in caught.value.problems]
    assert any(f"lockstep.yaml:{line}:" in problem and said in problem for problem in problems), problems
