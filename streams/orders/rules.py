"""Pool rules: a condition in CEL and an action each, asked in order. Contract: `rules.yaml`. Pure.

A rule is compiled and type-checked when it is loaded. One that fails while it runs holds the order for a person.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

import yaml
from cel_expr_python import cel

_TYPE: Final = cel.Type
VARIABLES: Final[Mapping[str, Any]] = {
    "channel": _TYPE.STRING,
    "shop_id": _TYPE.STRING,
    "order_id": _TYPE.STRING,
    "payable_minor": _TYPE.INT,
    "currency": _TYPE.STRING,
    "payment_method": _TYPE.STRING,
    "customer_id": _TYPE.STRING,
    "province": _TYPE.STRING,
    "lines": _TYPE.List(_TYPE.Map(_TYPE.STRING, _TYPE.DYN)),  # sku, qty, price_minor
}
ACTIONS: Final = ("release", "hold", "filter")
FIELDS: Final = ("id", "when", "action", "branch", "tags", "account", "reason")
MAX_LENGTH: Final = 2000  # characters of a condition
DEFAULT_BRANCH: Final = "default"


class RuleError(ValueError):
    """A rule that cannot be used: `file:line: what is wrong`."""


@dataclass(frozen=True)
class Ruling:
    """What the rules say of an order."""

    action: str
    rule_id: str | None = None
    branch: str | None = None
    tags: tuple[str, ...] = ()
    account: str | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Rule:
    """One rule; `condition` is its compiled `when`."""

    id: str
    condition: Any
    ruling: Ruling


_NO_RULE: Final = Ruling("release", branch=DEFAULT_BRANCH)


class RuleSet:
    """The rules of a merchant, in order."""

    def __init__(self, rules: tuple[Rule, ...] = ()) -> None:
        self.rules = rules

    def judge(self, values: Mapping[str, Any]) -> Ruling:
        """The first rule that holds decides; none: release to the branch `default`."""
        for rule in self.rules:
            try:
                found = rule.condition.eval(data=values)
            except RuntimeError as error:  # what the library raises for data that it cannot take
                return _failed(rule, str(error))
            if found.type() != _TYPE.BOOL:  # an error comes back as a value
                return _failed(rule, str(found.value()))
            if found.value():
                return rule.ruling
        return _NO_RULE

    @classmethod
    def load(cls, path: Path) -> "RuleSet":
        """The rules in a file.

        Raises:
            RuleError: the first thing that is wrong, with file and line. OSError: the file cannot be read.
        """
        return cls.parse(path.read_text(encoding="utf-8"), str(path))

    @classmethod
    def parse(cls, text: str, name: str = "rules") -> "RuleSet":
        """The rules in YAML text that is called `name` in errors. Raises RuleError."""
        try:
            node = yaml.compose(text, yaml.SafeLoader)
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            raise RuleError(f"{name}:{mark.line + 1 if mark else 1}: {getattr(error, 'problem', error)}") from None
        except RecursionError:
            raise RuleError(f"{name}:1: nested too deeply") from None
        return cls(_Reader(name).rules(node))


def _failed(rule: Rule, why: str) -> Ruling:
    return Ruling("hold", rule.id, reason=f"rule {rule.id} failed: {why.splitlines()[0][:200] if why else 'no result'}")


class _Reader:
    """Reads rules from YAML nodes, which know their lines."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.environment = cel.NewEnv(variables=dict(VARIABLES))

    def error(self, node: yaml.Node, what: str) -> RuleError:
        return RuleError(f"{self.name}:{node.start_mark.line + 1}: {what}")

    def rules(self, node: yaml.Node | None) -> tuple[Rule, ...]:
        if node is None:
            return ()
        fields = self.mapping(node, ("rules",))
        listed = fields.get("rules")
        if listed is None or (isinstance(listed, yaml.ScalarNode) and listed.tag.endswith(":null")):
            return ()
        if not isinstance(listed, yaml.SequenceNode):
            raise self.error(listed, "rules must be a list")
        rules: dict[str, Rule] = {}
        for item in listed.value:
            rule = self.rule(item)
            if rule.id in rules:
                raise self.error(item, f"a second rule is called {rule.id}")
            rules[rule.id] = rule
        return tuple(rules.values())

    def mapping(self, node: yaml.Node, known: tuple[str, ...]) -> dict[str, yaml.Node]:
        if not isinstance(node, yaml.MappingNode):
            raise self.error(node, f"expected fields: {', '.join(known)}")
        fields: dict[str, yaml.Node] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise self.error(key, "a key must be a word")
            if key.value not in known:
                near = get_close_matches(str(key.value), known, 1, 0.0)
                raise self.error(key, f"unknown key {key.value!r}, the nearest known one is {near[0]!r}")
            if key.value in fields:
                raise self.error(key, f"{key.value!r} is given twice")
            fields[key.value] = value
        return fields

    def rule(self, node: yaml.Node) -> Rule:
        fields = self.mapping(node, FIELDS)
        for name in ("id", "when", "action"):
            if name not in fields:
                raise self.error(node, f"the rule has no {name!r}")
        name, action = self.text(fields["id"]), self.text(fields["action"])
        if action not in ACTIONS:
            raise self.error(fields["action"], f"action {action!r} is none of {', '.join(ACTIONS)}")
        branch = self.optional(fields, "branch")
        ruling = Ruling(
            action,
            name,
            branch or (DEFAULT_BRANCH if action == "release" else None),
            self.tags(fields.get("tags")),
            self.optional(fields, "account"),
            self.optional(fields, "reason"),
        )
        return Rule(name, self.condition(fields["when"]), ruling)

    def text(self, node: yaml.Node) -> str:
        if not isinstance(node, yaml.ScalarNode) or not node.value.strip():
            raise self.error(node, "expected a text")
        return str(node.value).strip()

    def optional(self, fields: Mapping[str, yaml.Node], name: str) -> str | None:
        return self.text(fields[name]) if name in fields else None

    def tags(self, node: yaml.Node | None) -> tuple[str, ...]:
        if node is None:
            return ()
        if not isinstance(node, yaml.SequenceNode):
            raise self.error(node, "tags must be a list")
        return tuple(self.text(item) for item in node.value)

    def condition(self, node: yaml.Node) -> Any:
        text = self.text(node)
        if len(text) > MAX_LENGTH:
            raise self.error(node, f"the condition has {len(text)} characters, at most {MAX_LENGTH} are allowed")
        try:
            compiled = self.environment.compile(text)
        except RuntimeError as error:
            raise self.error(node, f"not a CEL condition: {_reason(str(error))}") from None
        if compiled.return_type() != _TYPE.BOOL:
            raise self.error(node, f"the condition gives {compiled.return_type()}, it must give BOOL")
        return compiled


def _reason(error: str) -> str:
    """The library's message without its frame, with the nearest variable for an unknown one."""
    first = error.splitlines()[0].removeprefix("INVALID_ARGUMENT: ERROR: ")
    if "undeclared reference to '" in first:
        unknown = first.split("'")[1]
        near = get_close_matches(unknown, VARIABLES, 1, 0.0)
        return f"unknown variable {unknown!r}, the nearest known one is {near[0]!r}"
    return first
