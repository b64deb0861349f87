"""Where two recordings of the same steps differ, and in what."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import floor, log10
from typing import Any, Final, Literal, TypeAlias

from benchmarks.serving.plan import Step
from benchmarks.serving.recording import DIGITS, SCORES, Answer, Recording, item_id_of

Kind: TypeAlias = Literal["status", "order", "reason", "score", "explanation", "other", "last_digits"]

_NEAR_ZERO: Final = 1e-7


@dataclass(frozen=True, slots=True)
class Difference:
    """A place at which two answers differ. `last_digits` is a score that is off by one in the fifth digit."""

    kind: Kind
    where: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Comparison:
    """The differences by the index of the step, and the fields that only the later answers have."""

    steps: Sequence[Step]
    compared: Sequence[int]
    left_out: int
    differences: Mapping[int, Sequence[Difference]]
    new_fields: frozenset[str]

    @property
    def different(self) -> list[int]:
        """The steps whose answers differ in more than the last digits of scores."""
        return [index for index, found in self.differences.items() if any(d.kind != "last_digits" for d in found)]

    def summary(self) -> dict[str, Any]:
        """The figures, as one JSON object."""
        kinds = Counter(kind for found in self.differences.values() for kind in {d.kind for d in found})
        last_digits = len(self.differences) - len(self.different)
        return {
            "benchmark": "answers",
            "compared": len(self.compared),
            "requests": sum(self.steps[index].kind == "request" for index in self.compared),
            "writes": sum(self.steps[index].kind == "write" for index in self.compared),
            "left_out": self.left_out,
            "equal": len(self.compared) - len(self.differences),
            "equal_but_last_digits": last_digits,
            "different": len(self.different),
            "different_by": {kind: kinds[kind] for kind in sorted(kinds) if kind != "last_digits"},
            "different_in": dict(Counter(self.steps[index].group for index in self.different)),
            "new_fields": sorted(self.new_fields),
        }


def compare(before: Recording, after: Recording, renamed: Mapping[str, str] | None = None) -> Comparison:
    """Compare answer by answer, those to writes, too.

    `renamed` maps words of the earlier answers to the present ones: whole words, in fields and texts.
    """
    found: dict[int, list[Difference]] = {}
    compared, left_out, new_fields = [], 0, set[str]()
    for index, (step, old, new) in enumerate(zip(before.steps, before.answers, after.answers, strict=True)):
        if step.kind == "follow":
            continue
        if not old["status"] and not new["status"]:
            left_out += 1
            continue
        compared.append(index)
        own = list(differences({**old, "body": with_new_words(old["body"], renamed or {})}, new))
        new_fields |= {re.sub(r"\[[^\]]*\]", "", one.where) for one in own if one.before is _ABSENT}
        own = [one for one in own if one.before is not _ABSENT]
        if own:
            found[index] = own
    return Comparison(before.steps, compared, left_out, found, frozenset(new_fields))


def differences(before: Answer, after: Answer) -> Iterator[Difference]:
    """What differs between two answers; the bodies of different statuses are not looked at."""
    if before["status"] != after["status"]:
        yield Difference("status", "status", before["status"], after["status"])
    else:
        explained = isinstance(before["body"], dict) and "verdict" in before["body"]
        for one in _compared("", "", before["body"], after["body"]):
            yield replace(one, kind="explanation") if explained and one.kind == "other" else one


def with_new_words(value: Any, renamed: Mapping[str, str]) -> Any:
    """A JSON value in which the words of `renamed` are replaced."""
    if not renamed:
        return value
    words = re.compile(rf"(?<!\w)({'|'.join(map(re.escape, renamed))})(?!\w)")
    return _with_new_words(value, words, renamed)


class _Absent:
    def __repr__(self) -> str:
        return "nothing"


_ABSENT: Final = _Absent()


def _with_new_words(value: Any, words: re.Pattern[str], renamed: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return words.sub(lambda found: renamed[found[0]], value)
    if isinstance(value, dict):
        return {renamed.get(name, name): _with_new_words(inner, words, renamed) for name, inner in value.items()}
    if isinstance(value, list):
        return [_with_new_words(inner, words, renamed) for inner in value]
    return value


def _compared(where: str, name: str, before: Any, after: Any) -> Iterator[Difference]:
    if isinstance(before, dict) and isinstance(after, dict):
        for key in (*before, *(key for key in after if key not in before)):
            inner = f"{where}.{key}".lstrip(".")
            yield from _compared(inner, key, before.get(key, _ABSENT), after.get(key, _ABSENT))
    elif isinstance(before, list) and isinstance(after, list):
        yield from _compared_lists(where, name, before, after)
    elif name in SCORES and _is_number(before) and _is_number(after):
        if before != after:
            yield Difference("last_digits" if _are_close(before, after) else "score", where, before, after)
    elif before != after or type(before) is not type(after):
        yield Difference("reason" if name == "reason" else "other", where, before, after)


def _compared_lists(where: str, name: str, before: list[Any], after: list[Any]) -> Iterator[Difference]:
    ids = [item_id_of(element) for element in before], [item_id_of(element) for element in after]
    names = [_name_of(element) for element in before], [_name_of(element) for element in after]
    if any(ids[0]) or any(ids[1]):
        if ids[0] != ids[1]:
            pairs = enumerate(zip(*ids, strict=False))
            first = next((at for at, (old, new) in pairs if old != new), min(len(before), len(after)))
            yield Difference("order", f"{where}[{first}]", ids[0][first:][:5], ids[1][first:][:5])
            return
    elif all(names[0]) and sorted(names[0]) == sorted(names[1]):
        # Parts of a feed: the order in which they work is no part of an answer.
        before, after = sorted(before, key=_name_of), sorted(after, key=_name_of)
    elif len(before) != len(after):
        yield Difference("other", where, before, after)
        return
    for index, (old, new) in enumerate(zip(before, after, strict=True)):
        yield from _compared(f"{where}[{index}]", name, old, new)


def _name_of(element: Any) -> str:
    return str(element.get("name", "")) if isinstance(element, dict) else ""


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _are_close(before: float, after: float) -> bool:
    most = max(abs(before), abs(after))
    if most < _NEAR_ZERO:
        return True
    unit = 10.0 ** (floor(log10(most)) - DIGITS + 1)
    return abs(before - after) < 1.5 * unit
