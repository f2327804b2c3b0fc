"""Couriers in `lockstep.yaml`: what their connectors need is asked for, and reaches them."""

from pathlib import Path

import pytest

from ops.config import ConfigError, load

BASE = """merchant: demo
shops:
  - {source: generic, channel: web, shop: s1, secret: "plain:k1"}
couriers:
"""


def written(folder: Path, *couriers: str) -> Path:
    """A configuration with these couriers."""
    file = folder / "lockstep.yaml"
    file.write_text(BASE + "".join(f"  - {courier}\n" for courier in couriers), encoding="utf-8")
    return file


def test_a_courier_has_what_its_connector_needs(tmp_path: Path) -> None:
    """Account, token and options of a courier arrive; each is named after what speaks."""
    config = load(
        written(
            tmp_path,
            '{source: kdniao, shop: main, secret: "plain:k", app_key: "1672544"}',
            '{source: sf, shop: main, secret: "plain:a-long-one-of-sf"}',
            '{source: trackingmore, shop: main, secret: "plain:k", token: "plain:t", options: {utc_offset: "+09:00"}}',
        ),
        {},
    )
    found = {shop.name: shop for shop in config.shops if shop.kind == "courier"}
    assert found["kdniao"].app_key == "1672544"
    assert found["sf"].secret == "a-long-one-of-sf"
    assert (found["trackingmore"].token, found["trackingmore"].options) == ("t", {"utc_offset": "+09:00"})


@pytest.mark.parametrize(
    ("courier", "said"),
    [
        ('{source: kdniao, shop: main, secret: "plain:k"}', "needs app_key, the EBusinessID of the account"),
        ('{source: trackingmore, shop: main, secret: "plain:k", options: {utc_offset: CST}}', "utc_offset must be like +08:00"),
        ('{source: sf, shop: main, secret: "plain:short"}', "16 characters at least"),
        ('{source: sfexpress, shop: main, secret: "plain:k"}', "sfexpress"),
    ],
)
def test_what_is_missing_is_told_with_its_line(tmp_path: Path, courier: str, said: str) -> None:
    """A courier that lacks something is an error with its line, before anything starts."""
    with pytest.raises(ConfigError) as caught:
        load(written(tmp_path, courier), {})
    assert any("lockstep.yaml:5" in str(problem) and said in str(problem) for problem in caught.value.problems), caught.value.problems
