"""What merchants, systems and couriers state, from a seed: orders that go their way, orders that do not, and wild ones.

A word is (minutes after the order's beginning, kind, source, fact without its id and time).
"""

from random import Random
from typing import Any, Final

from ops.simulation.plan import Kind

Word = tuple[float, Kind, str, dict[str, Any]]
CHANNEL: Final = ("Created", "PaymentPending", "PaymentConfirmed", "Shipped", "Signed", "Completed", "Cancelled", "Closed", "OnHold")
SYSTEM: Final = ("PaymentConfirmed", "Approved", "Allocated", "Picking", "Packed", "Shipped", "Completed", "Cancelled", "OnHold")
REFUND: Final = ("RefundRequested", "RefundApproved", "RefundRejected", "ReturnInTransit", "ReturnReceived", "Refunded", "RefundClosed")
COURSES: Final = (REFUND[:1], REFUND[:2], (*REFUND[:2], "Refunded"), REFUND[:3:2], REFUND[1::5], REFUND[3:6])  # of a refund
REFUNDS: Final = ("refund_only", "return_refund")
NODES: Final = (
    "LabelCreated", "PickedUp", "InTransit", "InTransit", "ArrivedAtHub", "ArrivedAtStation", "OutForDelivery", "OutForDelivery",
    "DeliveryAttemptFailed", "Held", "AwaitingPickup", "Signed", "SignedByProxy", "Rejected", "Returning", "Returned", "Lost",
    "CustomsHold", "CustomsCleared", "AddressChanged", "Damaged", "Exception",
)  # fmt: skip
METHODS: Final = ("alipay", "wechat", "wechat", "gift", None)


class Teller:
    """Tells the story of one order of a shop."""

    def __init__(self, random: Random, number: int, channel: str) -> None:
        self.random, self.number, self.channel = random, number, channel
        self.wms = "wms" if channel == "web" else "erp"
        self.parcels = [(random.choice(("zto", "zto", "sf")), f"T{number}{box}") for box in range(random.choice((0, 1, 1, 1, 2, 3)))]

    def tell(self) -> list[Word]:
        """The words, in any order."""
        kind = self.random.choice(("normal", "normal", "spoiled", "spoiled", "wild", "wild", "clash", "flip"))
        words: list[Word] = getattr(self, f"_{kind}")()
        return words

    def facts_of_order(self) -> dict[str, Any]:
        """What a channel says beside the status, often or not."""
        random = self.random
        told: dict[str, Any] = {}
        if random.random() < 0.6:
            told |= {"payable_minor": random.choice((9900, 9900, 600_000)), "currency": "CNY"}
        if random.random() < 0.5:
            told |= {
                "payment_method": random.choice(METHODS),
                "customer_id": f"c{self.number % 3}",
                "province": random.choice(("浙江", "新疆")),
            }
        if random.random() < 0.3:
            told["lines"] = [{"sku": "S1", "qty": 2}]
        return told

    def refs(self, most: int = 3) -> dict[str, Any]:
        """The parcels, as an order names them."""
        return {"parcels": [{"courier": courier, "tracking_no": number} for courier, number in self.parcels[:most]]}

    def _normal(self) -> list[Word]:
        random, at = self.random, 0.0
        words: list[Word] = []

        def say(kind: Kind, source: str, status: str, **more: Any) -> None:
            nonlocal at
            words.append((at, kind, source, {"status": status} | more))
            at += random.choice((0.5, 2, 2, 7, 12, 35, 90))

        say("channel", self.channel, "Created", **self.facts_of_order())
        say("channel", self.channel, "PaymentConfirmed", **self.facts_of_order())
        for status in ("Approved", "Allocated"):
            say("system", "erp", status)
        for status in ("Picking", "Packed", "Shipped"):
            say("system", self.wms, status, **(self.refs() if status == "Shipped" else {}))
        say("channel", self.channel, "Shipped", **(self.refs() if random.random() < 0.7 else {}))
        words += self._journey(at)
        at += 60 * random.choice((20, 30, 60))
        say("channel", self.channel, "Signed")
        say("channel", self.channel, "Completed")
        return words

    def _journey(self, begin: float) -> list[Word]:
        """Nodes of the parcels; some stand still for hours."""
        random = self.random
        words: list[Word] = []
        for courier, number in self.parcels:
            at = begin
            held = {"reason": random.choice(("address_unclear", "weather", None))}
            for status in ("LabelCreated", "PickedUp", "InTransit", "Held", "ArrivedAtStation", "OutForDelivery", "Signed"):
                if random.random() < (0.8 if status == "Held" else 0.15):
                    continue
                words.append((at, "courier", courier, {"tracking_no": number, "status": status} | (held if status == "Held" else {})))
                at += 60 * random.choice((0.2, 0.5, 1, 1, 3, 5, 7, 26))
            if random.random() < 0.15:
                for status in ("Rejected", "Returning", "Returned"):
                    words.append((at, "courier", courier, {"tracking_no": number, "status": status}))
                    at += 120
        return words

    def _spoiled(self) -> list[Word]:
        """A normal order to which something happens."""
        random, words = self.random, self._normal()
        for _ in range(random.randint(1, 3)):
            at = random.choice(words)[0] + random.choice((-1, 0, 1, 5))
            words += random.choice((self._cancel, self._refund, self._price, self._back, self._restock))(max(at, 0))
        if random.random() < 0.4:
            del words[random.randrange(len(words))]
        return words

    def _cancel(self, at: float) -> list[Word]:
        words: list[Word] = [(at, "channel", self.channel, {"status": self.random.choice(("Cancelled", "Closed"))})]
        if self.random.random() < 0.4:
            words.append((at + self.random.choice((1, 30)), "system", "erp", {"status": self.random.choice(("Cancelled", "OnHold"))}))
        if self.random.random() < 0.4:
            words.append((at + self.random.choice((2, 20)), "channel", self.channel, {"status": "PaymentConfirmed"}))
        return words

    def _refund(self, at: float) -> list[Word]:
        random, case = self.random, self.random.choice(("r1", "r2"))
        kind = random.choice(REFUNDS)
        partial = {"partial_refund": True} if random.random() < 0.3 else {}
        words: list[Word] = []
        for status in random.choice(COURSES):
            fact = {"axis": "aftersale", "status": status, "case_id": case, "aftersale_kind": kind} | partial
            words.append((at, "channel", self.channel, fact))
            at += random.choice((1, 5, 15))
        return words

    def _price(self, at: float) -> list[Word]:
        random = self.random
        words: list[Word] = []
        for channel in (True, False):
            amount = {"payable_minor": random.choice((8000, 9900)), "currency": "CNY"}
            if channel:
                words.append((at, "channel", self.channel, {"status": "PaymentConfirmed"} | amount))
            else:
                words.append((at, "system", "erp", {"status": "Approved"} | amount))
            at += random.choice((0.1, 3))
        return words

    def _back(self, at: float) -> list[Word]:
        if self.random.random() < 0.5:
            return [(at, "channel", self.channel, {"status": "PaymentConfirmed"}), (at + 1, "channel", self.channel, {"status": "Shipped"})]
        return [(at, "system", self.wms, {"status": "Allocated"}), (at + 1, "system", self.wms, {"status": "Picking"})]

    def _restock(self, at: float) -> list[Word]:
        return [(at + self.random.choice((1, 14)), "system", "erp", {"axis": "stock", "status": "Restored"})]

    def _clash(self) -> list[Word]:
        """The system goes on with what its channel has ended."""
        at = self.random.choice((0.0, 3.0, 40.0))
        first = self.random.choice(("PaymentConfirmed", "Created"))
        return [
            (at, "channel", self.channel, {"status": first} | self.facts_of_order()),
            (at + 1, "channel", self.channel, {"status": "Cancelled"}),
            (at + 2, "system", "erp", {"status": "Picking"}),
        ]

    def _flip(self) -> list[Word]:
        """To and fro, until it breaches; or not quite."""
        words: list[Word] = []
        for turn in range(self.random.randint(2, 4)):
            words.append((turn * 4, "channel", self.channel, {"status": "PaymentConfirmed"} | self.facts_of_order()))
            words.append((turn * 4 + 2, "channel", self.channel, {"status": "Shipped"}))
        return words

    def _wild(self) -> list[Word]:
        """Anything at any time."""
        return [self._any(self.random.randint(0, 40)) for _ in range(self.random.randint(2, 12))]

    def _any(self, at: float) -> Word:
        random = self.random
        kind = random.choice(("channel", "channel", "channel", "erp", "wms", "refund", "node", "stock"))
        if kind == "node" and self.parcels:
            courier, number = random.choice(self.parcels)
            return at, "courier", courier, {"tracking_no": number, "status": random.choice(NODES)}
        if kind == "refund":
            fact = {"status": random.choice(REFUND), "case_id": random.choice(("r1", "r2")), "aftersale_kind": random.choice(REFUNDS)}
            return at, "channel", self.channel, {"axis": "aftersale"} | fact | ({"partial_refund": True} if random.random() < 0.3 else {})
        if kind == "stock":
            return at, "system", "erp", {"axis": "stock", "status": "Restored"}
        amount = {"payable_minor": random.choice((100, 200)), "currency": "CNY"} if random.random() < 0.3 else {}
        if kind in {"erp", "wms"}:
            return at, "system", kind, {"status": random.choice(SYSTEM)} | amount | (self.refs(1) if random.random() < 0.2 else {})
        return at, "channel", self.channel, {"status": random.choice(CHANNEL)} | amount | (self.refs() if random.random() < 0.2 else {})
