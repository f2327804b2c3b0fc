"""The pool rules that a configuration names: checked when it is loaded, compiled again by the role that asks them."""

from pathlib import Path

from ops.config.problems import Problem
from ops.config.yaml_file import Document


def rule_problems(file: Path, named_by: Document) -> list[Problem]:
    """Say what is wrong with the rules; a file that is missing is a problem of the line that names it."""
    from streams.orders.rules import RuleError, RuleSet

    try:
        RuleSet.load(file)
    except RuleError as error:
        name, line, text = str(error).removeprefix(f"{file}").split(":", 2)
        return [Problem(f"{file}{name}", int(line), text.strip())]
    except (OSError, UnicodeDecodeError) as error:
        return [named_by.problem(("rules",), f"rules: {file} cannot be read: {getattr(error, 'strerror', None) or error}")]
    return []
