"""The streaming app in this process: the contract's Python functions."""

from __future__ import annotations

import weakref
from contextlib import ExitStack
from functools import cache

from anyio.from_thread import start_blocking_portal

from homefeed.apps import find_recipe
from homefeed.apps.streaming.schemas import title_conditions
from homefeed.errors import HomefeedError, InvalidError
from homefeed.serving import FeedRequest, LiveApp, open_app
from homefeed.settings import Settings, load_settings


class Streaming:
    """The streaming app on the store of the settings. Every call sees what was written before it.

    Any thread may call. A call blocks until it is answered, within a running event loop too: there, call by
    `asyncio.to_thread`.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        settings = settings or load_settings()
        opening = open_app(find_recipe("streaming", changes=settings.recipes), settings)
        with ExitStack() as stack:
            self._portal = stack.enter_context(start_blocking_portal())
            self._app: LiveApp = stack.enter_context(self._portal.wrap_async_context_manager(opening))
            # At the latest when Python ends: it would wait for ever for a portal that nobody closes.
            self._exit = weakref.finalize(self, stack.pop_all().close)

    def __enter__(self) -> Streaming:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the store. Closing again does nothing."""
        self._exit()

    def recommend_popular(
        self, k: int = 10, content_type: str | None = None, genre: str | None = None
    ) -> list[dict[str, str]]:
        """The k most popular titles, each with item_id, title and reason; all of them where k is larger."""
        return self._ask(FeedRequest("popular", n=k, conditions=title_conditions(content_type, genre)))

    def recommend_for_user(
        self, user_id: str, k: int = 10, content_type: str | None = None, genre: str | None = None
    ) -> list[dict[str, str]]:
        """The k best titles for a user; the popular ones for a user without history, or an unknown one."""
        return self._ask(FeedRequest("home", user_id, n=k, conditions=title_conditions(content_type, genre)))

    def _ask(self, request: FeedRequest) -> list[dict[str, str]]:
        if request.n < 1:
            raise InvalidError(f"k: expected 1 or more, got {request.n}")
        if not self._exit.alive:
            raise HomefeedError("this Streaming is closed; make another one")
        return self._portal.call(self._answer, request)

    async def _answer(self, request: FeedRequest) -> list[dict[str, str]]:
        await self._app.catch_up()
        answer = await self._app.recommend(request)
        catalog, slate = answer.catalog, answer.slate
        return [
            {"item_id": catalog.item_id(position), "title": catalog.title(position), "reason": reason}
            for position, reason in zip(slate.positions.tolist(), slate.reasons, strict=True)
        ]


@cache
def _default() -> Streaming:
    return Streaming()


def recommend_popular(
    k: int = 10, content_type: str | None = None, genre: str | None = None
) -> list[dict[str, str]]:
    """`Streaming.recommend_popular` on the store of the settings in force when first called."""
    return _default().recommend_popular(k, content_type, genre)


def recommend_for_user(
    user_id: str, k: int = 10, content_type: str | None = None, genre: str | None = None
) -> list[dict[str, str]]:
    """`Streaming.recommend_for_user` on the store of the settings in force when first called."""
    return _default().recommend_for_user(user_id, k, content_type, genre)
