"""What sentences call an item that has no title."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from string import Formatter


class Untitled:
    """A template such as "a stream from {city}" of fields; without one nothing can be said."""

    def __init__(self, template: str | None) -> None:
        self._template = template
        self._fields = [name for _, name, _, _ in Formatter().parse(template or "") if name]

    def said(self, terms: Callable[[str], Sequence[str]]) -> str:
        """What an item with such terms is called; empty where one of the fields has none."""
        values = {name: terms(name) for name in self._fields}
        if self._template is None or not all(values.values()):
            return ""
        return self._template.format(**{name: found[0] for name, found in values.items()})
