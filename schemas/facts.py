"""Why a raw event cannot become an observation."""


class Unusable(ValueError):
    """A raw event that ends in the dead letters.

    `reason` is one of semantics §2: undecodable, invalid, bad_timestamp, unmapped_status, foreign_order, fold_failed, oversized.
    `code` is the platform's code that no table knows, for `unmapped_status`.
    """

    def __init__(self, reason: str, detail: str, code: str | None = None) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason, self.detail, self.code = reason, detail, code
