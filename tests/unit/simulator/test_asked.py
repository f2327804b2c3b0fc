"""What a platform that pushes nothing lists: each change of an order until it was read, then the next."""

import msgspec
import pytest

from connectors.pull.base import Access, Answer, Window
from connectors.pull.registry import PULLERS
from connectors.registry import CONNECTORS
from ops.simulator.asked import LISTINGS, Listing, listings
from ops.simulator.facts import ASKED, Order, Say
from ops.simulator.standins.base import Asked, Refusal

NOW = 1_795_000_000.0
ORDER = Order(
    channel="jd", shop="10086", number="28001", customer="c", province="p", payable=4890, sku="s", courier="zto", tracking="7000000000001"
)


def said(speaker: str, status: str, at: int, axis: str = "fulfilment") -> Say:
    """A fact."""
    return Say(speaker=speaker, order=ORDER, status=status, at=at, play=at, nonce=at, axis=axis, payable=4890)


def read(listing: Listing, token: str) -> list[str]:
    """Ask the first list as the poller does; the ids of what is read."""
    puller, shop, feed = PULLERS[listing.name], listing.at("http://x"), listing.feeds[0]
    window = Window(int(NOW - 60) * 1000, int(NOW) * 1000)
    found: list[str] = []
    for step in puller.first(feed, window):
        call = puller.call(shop, Access(token), feed, window, step, NOW)
        answer = listing.answer(Asked(call.method, call.path, call.query, call.headers, call.body))
        found += [fact.event_id for fact in puller.read(shop, feed, window, step, Answer(200, msgspec.json.encode(answer))).facts]
    return found


@pytest.fixture(params=sorted(LISTINGS))
def listing(request: pytest.FixtureRequest) -> tuple[str, Listing]:
    """Each platform, and who speaks there."""
    speaker = str(request.param)
    made = listings()[speaker]
    made.clock = lambda: NOW
    return speaker, made


def test_the_next_change_is_listed_when_the_one_before_was_read(listing: tuple[str, Listing]) -> None:
    """Two changes of one order are read one after the other, and never both at once; a third question finds nothing new."""
    speaker, platform = listing
    for number, status in enumerate(("PaymentConfirmed", "Shipped")):
        platform.tell(said(speaker, status, int(NOW - 3600 + 60 * number) * 1000))
    assert platform.unread == 2
    first = read(platform, platform.token)
    assert platform.unread == 1
    second = read(platform, platform.token)
    assert platform.unread == 0
    assert len(first) == len(second) == 1
    assert first != second
    assert read(platform, platform.token) == second


def test_every_list_that_the_demo_asks_is_one_of_the_puller(listing: tuple[str, Listing]) -> None:
    """The demo's shop names lists that its puller has, and its connector accepts the shop."""
    _, platform = listing
    shop = platform.at("http://127.0.0.1:9")
    assert {*platform.feeds} <= {feed.name for feed in PULLERS[shop.connector].feeds}
    CONNECTORS[shop.connector].check(shop)
    PULLERS[shop.connector].check(shop)


def test_each_channel_that_is_asked_has_an_erp_that_is_asked() -> None:
    """Both speak in the demo, so that whatever is found of such an order is found by asking."""
    assert {*ASKED, *ASKED.values()} == set(LISTINGS)


def test_an_expired_token_is_refused(listing: tuple[str, Listing]) -> None:
    """Where a platform has tokens, the one in use is refused once it has expired."""
    speaker, platform = listing
    used = platform.token
    platform.tell(said(speaker, "PaymentConfirmed", int(NOW - 3600) * 1000))
    assert len(read(platform, used)) == 1
    platform.expire()
    if platform.token_code is None:
        assert len(read(platform, used)) == 1
    else:
        with pytest.raises(Refusal):
            read(platform, used)
