"""The policy of `lockstep.yaml` laid over the defaults of `streams/policy.py`."""

from dataclasses import replace
from typing import Any

from ops.config.model import (
    ConfigModel,
    ConflictsModel,
    ExpectationModel,
    ExpectationsModel,
    PolicyModel,
    ResumeModel,
    StallModel,
)
from ops.config.values import OFF
from streams.policy import EXPECTATIONS, IMMEDIATE, Conflicts, Policy, Resume, StallPolicy


def policy(model: ConfigModel) -> Policy:
    """Every number of the policy, and the links between shops and systems."""
    given = model.policy
    jumps = _given(given.jumps.model_dump())
    if steps := jumps.pop("allowed_steps_back", None):
        jumps["allowed_steps_back"] = frozenset(map(tuple, steps))
    default = Policy()
    return replace(
        default,
        jumps=replace(default.jumps, **jumps),
        conflicts=_conflicts(given.conflicts, given.expectations),
        expectations=_expectations(given.expectations),
        resume=_resume(given.resume),
        stall=_stall(given.stall),
        links=_links(model),
        dead_letters=replace(default.dead_letters, **_given(given.dead_letters.model_dump())),
        silence=replace(default.silence, **_given(given.silence.model_dump())),
        **_numbers(given),
    )


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _numbers(given: PolicyModel) -> dict[str, Any]:
    parts = {"jumps", "conflicts", "expectations", "resume", "stall", "dead_letters", "silence"}
    return _given(given.model_dump(exclude=parts))


def _conflicts(given: ConflictsModel, kinds: ExpectationsModel) -> Conflicts:
    off = frozenset(kind for kind in IMMEDIATE if getattr(kinds, kind) == OFF)
    return replace(Conflicts(), off=off, **_given(given.model_dump()))


def _expectations(given: ExpectationsModel) -> dict[str, int]:
    chosen = dict(EXPECTATIONS)
    for kind in EXPECTATIONS:
        value = getattr(given, kind)
        if value == OFF:
            del chosen[kind]
        elif isinstance(value, ExpectationModel):
            chosen[kind] = value.within
    return chosen


def _resume(given: ResumeModel) -> Resume:
    values = _given(given.model_dump())
    if values.get("after") == OFF:
        values["after"] = None
    return replace(Resume(), **values)


def _stall(given: StallModel) -> StallPolicy:
    values = _given(given.model_dump())
    if "tiers" in values:
        values["tiers"] = tuple(values["tiers"])
    if "quiet_hours" in given.model_fields_set:  # None is an answer here: off
        values["quiet_hours"] = given.quiet_hours
    return replace(StallPolicy(), **values)


def _links(model: ConfigModel) -> dict[str, dict[str, str]]:
    kinds = {system.name: system.kind for system in model.systems}
    return {f"{shop.channel or shop.source}:{shop.shop}": {name: kinds[name] for name in shop.systems} for shop in model.shops}
