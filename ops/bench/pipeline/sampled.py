"""Runs `lockstep` under a sampling profiler: where the processor's time goes, at next to no cost.

    python -m ops.bench.pipeline.sampled FILE stream --config …

When the role ends, FILE holds JSON: samples in all, by function alone and with all that it calls, and by line.
"""

import json
import signal
import sys
import threading
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Final

INTERVAL: Final = 0.004  # seconds of processor time
MOST: Final = 150  # entries of a kind


class Sampler:
    """Counts where the process is at each tick of its processor time; one sample a thread."""

    def __init__(self) -> None:
        self.samples = 0
        self.alone: Counter[str] = Counter()
        self.within: Counter[str] = Counter()
        self.lines: Counter[str] = Counter()

    def start(self) -> None:
        """Begin."""
        signal.signal(signal.SIGPROF, self._take)
        signal.setitimer(signal.ITIMER_PROF, INTERVAL, INTERVAL)

    def stop(self) -> None:
        """End."""
        signal.setitimer(signal.ITIMER_PROF, 0)

    def _take(self, _: int, frame: FrameType | None) -> None:
        self.samples += 1
        seen: set[str] = set()
        if frame is not None:
            self.alone[_name(frame)] += 1
            self.lines[f"{_name(frame)}:{frame.f_lineno}"] += 1
        while frame is not None:
            seen.add(_name(frame))
            frame = frame.f_back
        self.within.update(seen)

    def as_json(self) -> dict[str, object]:
        """What was counted, the most frequent first."""
        counts = {"alone": self.alone, "within": self.within, "lines": self.lines}
        return {"samples": self.samples, "threads": threading.active_count()} | {
            name: dict(counter.most_common(MOST)) for name, counter in counts.items()
        }


def _name(frame: FrameType) -> str:
    path = frame.f_code.co_filename
    short = "/".join(path.rsplit("/", 2)[-2:])
    return f"{short} {frame.f_code.co_qualname}"


def main() -> None:
    """Take FILE off the command line and run the rest."""
    file, sys.argv = Path(sys.argv[1]), ["lockstep", *sys.argv[2:]]
    from ops.cli import main as lockstep

    sampler = Sampler()
    sampler.start()
    try:
        lockstep()
    finally:
        sampler.stop()
        file.write_text(json.dumps(sampler.as_json(), indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
