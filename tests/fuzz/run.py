"""`python -m tests.fuzz.run`: so many bodies by seeds, on all cores, then parsers and the whole role; ends by itself,
with status 1 if anything was found.

A finding prints its seed and body: `--seed N --bodies M --workers 1` leads there again.
"""

import argparse
import json
import logging
import multiprocessing
import os
import resource
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.fuzz import parsers, whole
from tests.fuzz.bodies import Found, Judge, Tally

ROUNDS = 200  # of the parsers, by a seed: 14,200 inputs
WHOLE = 2_000  # bodies through the whole role, by a seed
EACH = 50_000  # bodies for one seed of these two
PER_SEED = 5_000  # bodies; a seed is a piece of work
GROWTH = 16 << 20  # bytes that a worker may have more in its last quarter than it ever had in its first half
LEAST = 12  # pieces of a worker, of fewer its growth says nothing: bounded caches fill first
HANG = 60.0  # seconds of processor time of one piece beyond what it should take: something is stuck
Outcome = tuple[int, Tally, str, int]
"""(process, what was seen, what was found or nothing, resident bytes of the process afterwards)."""


def resident() -> int:
    """Bytes of this process in memory now."""
    pages = Path("/proc/self/statm")
    if pages.exists():
        return int(pages.read_text().split()[1]) * resource.getpagesize()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def piece(work: tuple[int, int]) -> Outcome:
    """Judge so many bodies by a seed."""
    seed, bodies = work
    logging.disable(logging.CRITICAL)
    judge, found = Judge(seed), ""
    try:
        while judge.tally.bodies < bodies:
            judge.one()
    except Found as error:
        found = str(error)
    return os.getpid(), judge.tally, found, resident()


def other(work: tuple[str, int]) -> tuple[str, Counter[str], str]:
    """Other readers than connectors, or bodies through the whole role: (what, counts, what was found or nothing)."""
    what, seed = work
    logging.disable(logging.CRITICAL)
    try:
        counts = parsers.run(seed, ROUNDS) if what == "parsers" else whole.run(seed, WHOLE)
    except Found as error:
        return what, Counter(), str(error)
    return what, counts, ""


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.run", description=__doc__)
    parser.add_argument("--bodies", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0, help="the first one")
    parser.add_argument("--workers", type=int, default=multiprocessing.cpu_count())
    parser.add_argument("--seconds", type=float, default=3600.0, help="end after so long, whatever was done")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    given = parser.parse_args(arguments)
    pieces = [(given.seed + n, min(PER_SEED, given.bodies - n * PER_SEED)) for n in range(-(-given.bodies // PER_SEED))]
    total, found, memory, began = Tally(), list[str](), defaultdict[int, list[int]](list), time.monotonic()
    others = [(what, given.seed + n) for n in range(-(-given.bodies // EACH)) for what in ("whole", "parsers")]
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    with context.Pool(given.workers) as pool:
        results = pool.imap_unordered(piece, pieces)
        for _ in pieces:
            process, tally, what, bytes_used = results.next(timeout=given.seconds - (time.monotonic() - began) + HANG)
            total.add(tally)
            memory[process].append(bytes_used)
            found += [what] if what else []
            if time.monotonic() - began > given.seconds:
                break
        seconds, also = time.monotonic() - began, defaultdict[str, Counter[str]](Counter)
        remaining = pool.imap_unordered(other, others)
        for _ in others:
            what, counts, problem = remaining.next(timeout=max(0.0, given.seconds - seconds) + HANG)
            also[what].update(counts)
            found += [problem] if problem else []
    for what, counts in also.items():
        print(f"{what}: {dict(counts)}")  # noqa: T201
    return _said(total, found, memory.values(), seconds, given.json)


def _growth(memory: list[int]) -> int:
    return max(memory[-(len(memory) // 4) :]) - max(memory[: len(memory) // 2])


def _said(total: Tally, found: list[str], memory: Iterable[list[int]], seconds: float, file: Path | None) -> int:
    growth = max((_growth(each) for each in memory if len(each) >= LEAST), default=0)
    if growth > GROWTH:
        found.append(f"a worker grew by {growth >> 20} MiB in its second half")
    if total.facts != total.observations + total.dead.total():
        found.append(f"{total.facts} facts are not {total.observations} observations and {total.dead.total()} dead letters")
    figures: dict[str, object] = {name: dict(value) if isinstance(value, Counter) else value for name, value in vars(total).items()}
    figures |= {"seconds": round(seconds, 1), "per_second": round(total.bodies / seconds), "growth": growth, "found": found}
    if file:
        file.write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n")
    print(f"{total.bodies} bodies in {seconds:.0f} s ({total.bodies / seconds:,.0f}/s), slowest {total.slowest * 1000:.0f} ms")  # noqa: T201
    print(f"{total.facts} facts = {total.observations} observations + {dict(total.dead)}; {total.empty} bodies without a fact")  # noqa: T201
    print(f"refused {dict(total.refused)}; by connector {dict(total.connectors)}; memory {growth / (1 << 20):+.1f} MiB in the second half")  # noqa: T201
    for what in found[:20]:
        print(f"FOUND {what}", file=sys.stderr)  # noqa: T201
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
