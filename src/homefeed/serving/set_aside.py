"""What an app serves without: rows of the store that cannot be read or applied, by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, Literal, TypeAlias

import structlog

Kind: TypeAlias = Literal["items", "users", "events"]

_MAX_NAMED: Final = 5

_log = structlog.get_logger(__name__)


class SetAside:
    """Rows set aside, by kind, each by its id (an event by its seq) with the reason."""

    def __init__(self, app: str) -> None:
        self._app = app
        self._rows: dict[Kind, dict[str, str]] = {"items": {}, "users": {}, "events": {}}

    @property
    def rows(self) -> Mapping[Kind, Mapping[str, str]]:
        """Those set aside now."""
        return self._rows

    def note(self, kind: Kind, seen: Iterable[str], wrong: Mapping[str, str]) -> None:
        """Of the rows seen anew these are `wrong`; the others are sound by now."""
        known = self._rows[kind]
        new = wrong.keys() - known.keys()
        if known:
            for name in seen:
                known.pop(name, None)
        known.update(wrong)
        if new:
            named = {name: wrong[name] for name in sorted(new)[:_MAX_NAMED]}
            _log.error("rows set aside", app=self._app, kind=kind, rows=len(new), named=named)
