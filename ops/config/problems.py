"""What is wrong with a configuration, said with file and line."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path


@dataclass(frozen=True, order=True)
class Problem:
    """One thing to mend. A warning does not keep anything from starting."""

    file: str
    line: int  # from 1; 0 where the file as a whole is meant
    text: str
    warning: bool = False

    def __str__(self) -> str:
        """Write it as compilers do: `file:line: text`."""
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {'warning: ' if self.warning else ''}{self.text}"


class ConfigError(Exception):
    """A configuration that cannot be used; `problems` has every reason."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)

    @classmethod
    def of(cls, file: Path | str, text: str, line: int = 0) -> "ConfigError":
        """Make an error of a single problem."""
        return cls([Problem(str(file), line, text)])


def nearest(word: str, known: Sequence[str]) -> str:
    """Name the known word that is most like this one."""
    return max(known, key=lambda candidate: SequenceMatcher(None, word.lower(), candidate.lower()).ratio())


def unknown(what: str, word: str, known: Sequence[str]) -> str:
    """Say that a word is not known, and which one may have been meant."""
    return f"unknown {what} {word!r}; did you mean {nearest(word, known)!r}?" if known else f"unknown {what} {word!r}"
