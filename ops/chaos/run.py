"""`python -m ops.chaos.run [--short] [pytest's arguments]`: the chaos tests, then `ops/FAULTS.md` from their results."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from ops.chaos import page
from ops.chaos.results import ENVIRONMENT, load

RESULTS: Final = Path("build/chaos-results.json")  # kept out of git
LIMIT: Final = 40 * 60.0  # seconds, all rows together


def main() -> None:
    """Leaves by SystemExit with pytest's status."""
    arguments = sys.argv[1:]
    short = "--short" in arguments
    rest = [argument for argument in arguments if argument != "--short"]
    file = Path(os.environ.get(ENVIRONMENT) or RESULTS).absolute()
    if not short and not rest:
        file.unlink(missing_ok=True)  # the whole form begins anew; a part adds to what is known
    command = [sys.executable, "-m", "pytest", "-m", "not soak and not chaos" if short else "not soak", *(rest or ["tests/chaos"])]
    try:
        done = subprocess.run(command, env={**os.environ, ENVIRONMENT: str(file)}, timeout=LIMIT, check=False)  # noqa: S603 - our own
        status = done.returncode
    except subprocess.TimeoutExpired:
        print(f"not done after {LIMIT / 60:.0f} minutes", file=sys.stderr)
        status = 1
    if not short and file.exists():
        page.PAGE.write_text(page.page(load(file)), encoding="utf-8")
        print(f"wrote {page.PAGE}")
    raise SystemExit(status)


if __name__ == "__main__":
    main()
