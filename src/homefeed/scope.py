"""What the parts of a request share while they answer it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from contextvars import ContextVar
from time import perf_counter
from typing import Any, TypeVar

T = TypeVar("T")

_FILTER = "filter"

OBSERVER: ContextVar[Callable[[str, float, float], None] | None] = ContextVar("observer", default=None)
"""Is told of each kind of work of a request when it is done: when it began by `perf_counter`, and its seconds."""


class _Stopwatch:
    """Seconds by kind. What is timed within something else counts for itself only."""

    __slots__ = ("nested", "observe", "seconds")

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.nested = 0.0
        self.observe = OBSERVER.get()


class RequestScope:
    """What is computed once for a request, whichever parts and feeds need it, and how long each took.

    All that a scope holds belongs to one user, moment, anchor, place, conditions and exclusions: a query that
    differs in one of these needs a scope of its own. `view` is the scope of the same request by a part of the
    user's history.
    """

    __slots__ = ("_made", "_stopwatch", "_views")

    def __init__(self, stopwatch: _Stopwatch | None = None) -> None:
        self._stopwatch = stopwatch or _Stopwatch()
        self._made: dict[tuple[Hashable, ...], tuple[object, Any]] = {}
        self._views: dict[Hashable, RequestScope] = {}

    @property
    def seconds(self) -> Mapping[str, float]:
        """How long each kind of work took, without what it waited for of other kinds."""
        return self._stopwatch.seconds

    def once(self, part: object, kind: str, compute: Callable[[], T], *given: Hashable) -> T:
        """What `compute` returns: called the first time that this part needs this kind of thing, timed as `kind`.

        Args:
            part: Which part's it is.
            kind: Such as "retrieve.popular": the stage, a point, and what of it.
            compute: Makes it; what it raises is raised anew each time.
            given: What else it depends on.
        """
        key = (id(part), kind, *given)
        made = self._made.get(key)
        if made is None:
            # The part is kept with what it made: were it gone, another could come to have its identity.
            made = self._made[key] = part, self.timed(kind, compute)
        found: T = made[1]
        return found

    def timed(self, kind: str, compute: Callable[[], T]) -> T:
        """What `compute` returns, its time added to that of `kind`."""
        stopwatch = self._stopwatch
        outer, stopwatch.nested = stopwatch.nested, 0.0
        started = perf_counter()
        try:
            return compute()
        finally:
            took = perf_counter() - started
            stopwatch.seconds[kind] = stopwatch.seconds.get(kind, 0.0) + took - stopwatch.nested
            stopwatch.nested = outer + took
            if stopwatch.observe is not None:
                stopwatch.observe(kind, started, took)

    def view(self, key: Hashable) -> RequestScope:
        """The scope of the request as the user's history is seen by some feeds: one for each key."""
        if key not in self._views:
            self._views[key] = RequestScope(self._stopwatch)
        return self._views[key]

    def for_final_filter(self) -> RequestScope:
        """The same without what filters said: they are to judge again what is about to be shown."""
        final = RequestScope(self._stopwatch)
        final._made = {key: made for key, made in self._made.items() if not str(key[1]).startswith(_FILTER)}
        final._views = {key: view.for_final_filter() for key, view in self._views.items()}
        return final
