"""What is said at a platform that pushes nothing: listed, until the poller has read it.

Such a platform lists an order once, as it is now: a change that nobody has asked for before the next one is not seen by anybody.
A day is played faster than anyone asks, and each of its changes is to be seen; so the next change of an order comes when the one
before was read.
"""

from abc import abstractmethod
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, ClassVar

from connectors.config import Pull, Shop
from ops.simulator.facts import Say
from ops.simulator.standins.base import StandIn

Row = tuple[str, str, dict[str, Any]]  # the list, which object of it, and what it is now


class Listing(StandIn):
    """A stand-in platform that lists what a day says. `told` and `read` count facts."""

    feeds: ClassVar[tuple[str, ...]]  # the lists that the day needs

    def __init__(self, shop: Shop) -> None:
        super().__init__(shop)
        self.told = self.read = 0
        self._waiting: dict[str, deque[Row]] = {}  # by order; the first is listed
        self._unread: dict[int, str] = {}  # id of a listed object → order
        self._places: dict[tuple[str, str], dict[str, Any]] = {}  # what is listed of a list and an object

    @classmethod
    @abstractmethod
    def demo_shop(cls) -> Shop:
        """The shop that the demo's configuration has; nowhere yet."""

    @abstractmethod
    def row(self, said: Say) -> Row:
        """How the platform lists a fact."""

    def at(self, address: str) -> Shop:
        """The shop, for who asks it at this address."""
        return replace(self.shop, pull=replace(self.shop.pull or Pull(), base_url=address, feeds=self.feeds))

    @property
    def unread(self) -> int:
        """How many facts nobody has read yet."""
        return self.told - self.read

    def tell(self, said: Say) -> None:
        """Something has happened."""
        self.told += 1
        waiting = self._waiting.setdefault(said.order.number, deque())
        waiting.append(self.row(said))
        if len(waiting) == 1:
            self._list(said.order.number)

    def stumble(self) -> None:
        """Refuse the next call: it is one too many."""
        self.plan.append(self.rate_code)

    def given(self, answer: Any) -> Any:
        """Take note of what an answer has, and let those orders go on."""
        for order in [self._unread.pop(number) for number in _objects(answer) if number in self._unread]:
            self.read += 1
            waiting = self._waiting[order]
            waiting.popleft()
            if waiting:
                self._list(order)
        return answer

    def _list(self, order: str) -> None:
        feed, name, thing = self._waiting[order][0]
        before = self._places.get((feed, name))
        if before is not None:
            self.listed[feed] = [row for row in self.listed[feed] if row[1] is not before]
        self._places[feed, name] = thing
        self._unread[id(thing)] = order
        self.put(feed, int(self.clock() * 1000), thing)


def _objects(answer: Any) -> Iterator[int]:
    """The ids of all objects in an answer."""
    if isinstance(answer, dict):
        yield id(answer)
        for value in answer.values():
            yield from _objects(value)
    elif isinstance(answer, list):
        for value in answer:
            yield from _objects(value)
