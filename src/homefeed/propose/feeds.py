"""The feeds that the data allow, as tables of the recipe, and why the others are left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from homefeed.propose.plan import Plan
from homefeed.propose.toml import written

_OFTEN: Final = 0.15
"""The share of pairs that come again from which on having had an item is no reason against it."""


@dataclass(frozen=True, slots=True)
class FeedText:
    """A feed: its name and the lines that declare it."""

    name: str
    lines: tuple[str, ...]


def feeds_of(plan: Plan) -> tuple[list[FeedText], dict[str, str]]:
    """The feeds, and those left out, each with why."""
    has_events = plan.files.events is not None
    feeds = [_popular(), _home(plan, has_events)]
    left_out: dict[str, str] = {}
    if has_events or plan.worded:
        feeds.append(_similar(plan, has_events))
    else:
        left_out["similar"] = "neither events nor words say which items are alike"
    feeds.append(_trending())
    if plan.dated:
        feeds.append(_new())
    else:
        left_out["new"] = (
            "no column says when an item came; call it created_at, or name it under [sources.items.columns]"
        )
    if plan.worded:
        feeds.append(_search(plan))
    else:
        left_out["search"] = "items have no title, text, category or tags to search"
    if plan.placed:
        feeds.append(_nearby())
    return feeds, left_out


def seen_of(plan: Plan) -> list[str]:
    """The lines that say what keeps an item from being shown again."""
    events = plan.events
    bought = [each.name for each in events.types if each.meaning.verb == "bought"]
    is_shop = bought or any(each.meaning.verb.startswith("put into") for each in events.types)
    consumed = (
        bought
        if is_shop
        else [each.name for each in events.types if each.meaning.consumes and each.meaning.weight > 0]
    )
    if events.repeats >= _OFTEN:
        what = "bought" if bought else "played"
        return [
            f"# Here users {what} {events.repeats:.0%} of what they {what} again: so items are shown again.",
            "# To leave out what somebody had: delete the line, or name events, such as",
            f"# seen = {written({'events': dict.fromkeys(consumed, 1)})}" if consumed else "# seen = {}",
            "[parts.filter]",
            "seen = false",
        ]
    if is_shop and not bought:
        return [
            "# What was looked at is shown again; with events of purchases: seen = { events = { purchase = 1 } }",
            "[parts.filter]",
            "seen = false",
        ]
    if not consumed:
        return []
    return [
        "# What somebody had is not shown to them again: by type of event, how many are enough. Where there are",
        "# purchases, what was only looked at on the way is shown again. seen = false shows everything again.",
        "[parts.filter.seen]",
        f"events = {written(dict.fromkeys(consumed, 1))}",
    ]


def reasons_of(plan: Plan, has_events: bool) -> list[str]:
    """The lines with the words of reasons."""
    positive = [each for each in plan.events.types if each.meaning.weight > 0 and not each.about_query]
    verb = positive[0].meaning.verb if len(positive) == 1 else None
    popular = f"Popular: {verb} by {{events:,}} people" if verb else "Popular: {events:,} people were interested"
    lines = [
        "# What parts are set to in every feed. In reasons {title} is an item, {verb} what the user did.",
        "[parts.retrieve]",
        f"popular = {written({'reason': popular, 'reason_few': 'Not known to many yet'})}",
    ]
    if has_events:
        reasons = {
            "reason": 'Because you {verb} "{title}"',
            "reason_anchored": 'Goes with "{title}"',
            "reason_cold_item": 'Similar to "{title}"',
        }
        lines.append(f"item_item = {written(reasons)}")
    if plan.worded:
        content: dict[str, object] = {"reason": 'Similar to "{title}"'}
        if plan.interests is not None and plan.interests_field is not None:
            content |= {"interests": plan.interests, "interests_field": plan.interests_field}
        lines.append(f"content = {written(content)}")
    if plan.dated:
        days = new_days(plan)
        lines.append(f"fresh = {{ max_age_days = {days} }}    # how long an item is new")
    if plan.worded:
        lines += [
            f"search = {{ fields = {_fields(plan)} }}",
            f"semantic = {{ fields = {_fields(plan)}, min_similarity = 0.3 }}",
        ]
    if any(each.about_query for each in plan.events.types) and plan.worded:
        lines.append(f"searched = {{ fields = {_fields(plan)} }}")
    return lines


def new_days(plan: Plan) -> int:
    """How long an item is new: some times the age at which items usually are met, from 2 days to 30."""
    return 14 if plan.age_days is None else max(2, min(30, round(3 * plan.age_days)))


def models_of(plan: Plan, has_events: bool) -> list[str]:
    """The lines that declare what is trained."""
    lines = [
        "# What `homefeed train` learns. Others: sequence (what comes next), als, association (baskets), lightgcn."
    ]
    if has_events:
        lines += [
            "# Which items the same users choose. The words find neighbours for items that nobody has chosen yet;",
            "# with min_users = 2 no two items are neighbours by one person alone.",
            "[models.item_item]",
            *([f"fields = {_fields(plan)}"] if plan.worded else []),
        ]
    if plan.worded:
        lines += [
            "# Which items have like words: what a new item is known by. The numbers are weights.",
            "[models.content]",
            f"fields = {_fields(plan)}",
        ]
    return lines


def _fields(plan: Plan) -> str:
    return written(dict(plan.worded))


def _popular() -> FeedText:
    return FeedText(
        "popular",
        (
            "# What most users chose: it answers who is new, and `homefeed evaluate` compares with it.",
            "[feeds.popular]",
            'title = "Popular"',
            "retrieve.popular = { strength_weight = 0 }    # in the order of the number that its reasons tell",
            "rank.weighted.weights = { popular = 1.0 }",
        ),
    )


def _home(plan: Plan, has_events: bool) -> FeedText:
    """The blend: who chose what, words, what is new and what trends; what most chose fills the page."""
    parts = [(name, k, weight) for name, k, weight, fits in _blend(plan, has_events) if fits]
    lines = [
        "# The feed of a user. Each retriever proposes k items, and has a weight: training calibrates what it",
        f"# says, so that 1 takes it at its word. `homefeed train {plan.app} --tune` chooses weights.",
        "[feeds.home]",
        'title = "For you"',
        *_cold_start(plan),
        "[feeds.home.retrieve]",
        *(f"{name} = {{ k = {k} }}" for name, k, _ in parts),
        "[feeds.home.rank.weighted.weights]",
        *(f"{name} = {weight:g}" for name, _, weight in parts),
        *_rerank(plan),
    ]
    return FeedText("home", tuple(lines))


def _blend(plan: Plan, has_events: bool) -> Iterator[tuple[str, int, float, bool]]:
    # Where items are met when they are new, few chose them yet: their words say more.
    quick = plan.age_days is not None and plan.age_days <= 3
    yield "item_item", 300, 1.0, has_events
    yield "content", 100, 0.3 if has_events and not quick else 1.0, bool(plan.worded)
    yield "searched", 100, 0.5, bool(plan.worded) and any(each.about_query for each in plan.events.types)
    yield "nearby", 100, 0.3, plan.placed
    yield "trending", 50, 0.3, True
    yield "fresh", 50, 0.3, plan.dated
    yield "popular", 100, 0.1, True


def _cold_start(plan: Plan) -> list[str]:
    if plan.interests is not None:
        return [f"# Who is new is answered by the same feed: {plan.interests} of users say what they like."]
    return ['cold_start = "popular"    # what answers who is new; without it this feed does']


def _rerank(plan: Plan) -> list[str]:
    fields = [role.name for role in plan.sorting if role.kind == "tags"] or [role.name for role in plan.sorting]
    lines = []
    if fields:
        lines += [
            "# An item moves down that is like one above it: 1 for relevance alone, 0 for variety alone.",
            "[feeds.home.rerank.diversity]",
            f"fields = {written(fields[:2])}",
            "balance = 0.85",
        ]
    maker = plan.creator or plan.maker
    if maker is not None:
        lines += [
            f"# At most two of one {maker} among ten.",
            "[feeds.home.rerank.caps]",
            f"field = {written(maker)}",
            "max_items = 2",
            "window = 10",
        ]
    return lines


def _similar(plan: Plan, has_events: bool) -> FeedText:
    weights = {}
    if has_events:
        weights["item_item"] = 0.6
    if plan.worded:
        weights["content"] = 0.4
    return FeedText(
        "similar",
        (
            "# Beside an item: it is asked for with item_id.",
            "[feeds.similar]",
            'title = "More like this"',
            "anchored = true",
            "[feeds.similar.retrieve]",
            *(f"{name} = {{ k = 200 }}" for name in weights),
            "popular = { k = 20 }    # fills a list where little is known",
            "[feeds.similar.rank.weighted.weights]",
            *(f"{name} = {weight:g}" for name, weight in weights.items()),
            "popular = 0.001",
        ),
    )


def _trending() -> FeedText:
    return FeedText(
        "trending",
        tuple(_first_then("trending", "Trending", "# What is chosen most now; popular fills the rest.")),
    )


def _new() -> FeedText:
    return FeedText(
        "new",
        tuple(
            _first_then(
                "new",
                "New",
                "# The newest first, by created_at; popular fills the rest.",
                "fresh",
                "{ max_age_days = 30 }",
            )
        ),
    )


def _first_then(name: str, title: str, comment: str, part: str = "trending", set_to: str = "{}") -> Sequence[str]:
    return (
        comment,
        f"[feeds.{name}]",
        f'title = "{title}"',
        f"retrieve = {{ {part} = {set_to}, popular = {{}} }}",
        f"rank.weighted.weights = {{ {part} = 1.0, popular = 0.001 }}",
    )


def _search(plan: Plan) -> FeedText:
    price = (
        [] if plan.price is None else [f'price = "{plan.price}"    # "under 50" in a query is a condition on it']
    )
    return FeedText(
        "search",
        (
            "# What matches the query by its words, and by their meaning: the request says query=...",
            "[feeds.search]",
            'title = "Search"',
            *price,
            "filter.seen = false",
            "retrieve = { search = {}, semantic = {} }",
            "rank.weighted.weights = { search = 0.7, semantic = 0.3 }",
        ),
    )


def _nearby() -> FeedText:
    return FeedText(
        "nearby",
        (
            "# The nearest first: of latitude and longitude of the request, or else of where its user is.",
            "[feeds.nearby]",
            'title = "Nearby"',
            "retrieve.nearby = {}",
            'retrieve.popular = { instead_of = "nearby" }',
            "features.distance = {}",
            "rank.weighted.weights = { proximity = 1.0, popular = 0.001 }",
        ),
    )
