"""Why a raw event cannot become an observation."""

LONGEST_DETAIL = 1_000  # characters
LONGEST_CODE = 200  # what platforms send there has no bound of its own


class Unusable(ValueError):
    """A raw event that ends in the dead letters.

    `reason` is one of semantics §2: undecodable, invalid, bad_timestamp, unmapped_status, foreign_order, fold_failed, oversized.
    `code` is the platform's code that no table knows, for `unmapped_status`.
    """

    def __init__(self, reason: str, detail: str, code: str | None = None) -> None:
        detail = _cut(detail, LONGEST_DETAIL)
        super().__init__(f"{reason}: {detail}")
        self.reason, self.detail, self.code = reason, detail, None if code is None else _cut(code, LONGEST_CODE)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"
