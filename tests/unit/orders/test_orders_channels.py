"""Orders and channels together on the driver: what pauses a channel, and what becomes of its orders."""

import pytest

from schemas import codec, topics
from schemas.records import ChannelControl, ChannelFinding, Observation, PoolRecord
from streams.channels import agent as channels
from streams.orders import agent as orders
from streams.orders.rules import RuleSet
from streams.policy import Policy
from streams.records.driver import Driver
from tests.unit.orders.orders_given import BEGIN, fact, ms

POLICY = Policy(links={"web:s1": {"erp": "erp"}})


def _driver() -> Driver:
    return Driver([orders.task(POLICY, RuleSet(), partitions=2), channels.task(POLICY)], 2, BEGIN / 1000)


def _say(driver: Driver, order: str, source: str, status: str, at: float) -> None:
    one: Observation = fact(source, status, at, order_id=order, order_key=f"web:s1:{order}", event_id=f"{status}{at}")
    driver.send(topics.ORDER_OBSERVATION, one.order_key.encode(), codec.encode(one))


def _settle(driver: Driver) -> None:
    for _ in range(3):
        driver.run()
        driver.advance(1)


def _controls(driver: Driver) -> list[tuple[str, str]]:
    found = [codec.decode(value, ChannelControl) for value in driver.values(topics.CHANNEL_CONTROL)]
    return [(one.state, one.reason) for one in found]


def _pool(driver: Driver, order: str) -> list[str]:
    found = [codec.decode(value, PoolRecord) for value in driver.values(topics.ORDER_POOL)]
    return [one.action for one in found if one.order_key == f"web:s1:{order}"]


def _conflict(driver: Driver, order: str) -> None:
    """A contradiction: cancelled by the channel, then picked."""
    _say(driver, order, "web", "Cancelled", 1)
    _say(driver, order, "erp", "Picking", 2)


@pytest.mark.parametrize("doubled", [False, True])
def test_the_fifteenth_conflict_does_not_pause_and_the_sixteenth_does(doubled: bool) -> None:
    """Whatever is delivered twice; what is paid then is held, and released in the order of payment on resume."""
    driver = _driver()
    for number in range(15):
        for _ in range(2 if doubled else 1):
            _conflict(driver, f"c{number}")
    _settle(driver)
    _say(driver, "before", "web", "PaymentConfirmed", 3)
    _settle(driver)
    assert (_controls(driver), _pool(driver, "before")) == ([], ["release"])
    _conflict(driver, "c15")
    _settle(driver)
    assert _controls(driver) == [("paused", "channel_conflicts")]
    _say(driver, "later", "web", "PaymentConfirmed", 5)
    _say(driver, "sooner", "web", "PaymentConfirmed", 4)
    _say(driver, "before", "web", "Cancelled", 6)
    _settle(driver)
    assert [_pool(driver, order) for order in ("later", "sooner", "before")] == [["hold"], ["hold"], ["release", "withdraw"]]
    resume = ChannelFinding(finding_id="r", channel="web", kind="resume", at=ms(7), by="me")
    driver.send(topics.CHANNEL_FINDING, b"web", codec.encode(resume))
    _settle(driver)
    assert [_pool(driver, order) for order in ("later", "sooner")] == [["hold", "release"]] * 2
    assert driver.errors == []


def test_the_fourth_jump_of_an_order_pauses_its_channel() -> None:
    """Paid, Shipped, Paid, Shipped, Paid, Shipped."""
    driver = _driver()
    for at, status in enumerate(["PaymentConfirmed", "Shipped"] * 3):
        assert _controls(driver) == []
        _say(driver, "A", "web", status, at)
        if at < 4:
            _settle(driver)
    _settle(driver)
    assert _controls(driver) == [("paused", "order_jumps")]
