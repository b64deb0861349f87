"""Who lives in the communities of the sample and what they post, with the spam and the copies planted there.

Residents have two to four true interests, correlated within their block and with one another; what they declare
is a noisy part of them. Times are whole seconds since 1970-01-01 UTC.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from homefeed.samples import DAY, HOUR, Rhythm, Rng, Rows, Weights, choose, paragraphs, split
from homefeed.samples.community import posts
from homefeed.samples.community.posts import KINDS, TOPICS, Draft, one_of
from homefeed.types import Codes, Floats, Mask, Times

TAGS: Final = tuple(TOPICS)
NEVER: Final = np.iinfo(np.int64).max
"""The end of what never ends."""

_CLUSTERS: Final = {
    "sport": "yoga, running, cycling, football, swimming, hiking",
    "making": "diy, tools, gardening, secondhand, sewing, crafts",
    "kitchen": "cooking, baking",
    "family": "childcare, pets, board games",
    "culture": "music, choir, film, photography, books, languages",
    "care": "volunteering, recycling, seniors",
    "house": "parking, safety, maintenance",
    "work": "tech, jobs",
}
_CLUSTER: Final = np.array(
    [next(row for row, tags in enumerate(_CLUSTERS.values()) if tag in split(tags, ", ")) for tag in TAGS]
)
# The first tags of a cluster are the most common ones.
_TAG_WITHIN: Final = np.concatenate(
    [np.arange(1, 1 + len(split(tags, ", "))) ** -0.3 for tags in _CLUSTERS.values()]
)
_CLUSTER_SHARE: Final = np.array([0.22, 0.18, 0.1, 0.13, 0.18, 0.08, 0.05, 0.06])
# How often each kind is posted about a cluster: post, event, service, offer, poll, announcement.
_KIND_SHARE: Final = np.array([
    [0.30, 0.45, 0.07, 0.10, 0.08, 0], [0.30, 0.12, 0.20, 0.33, 0.05, 0], [0.40, 0.30, 0.05, 0.15, 0.10, 0],
    [0.30, 0.25, 0.25, 0.12, 0.08, 0], [0.30, 0.42, 0.10, 0.10, 0.08, 0], [0.35, 0.30, 0.20, 0.05, 0.10, 0],
    [0.50, 0.00, 0.20, 0.15, 0.15, 0], [0.35, 0.20, 0.30, 0.10, 0.05, 0],
])  # fmt: skip
_OF_MANAGEMENT: Final = np.array([0.05, 0, 0.05, 0, 0.1, 0.8])
_MANAGED: Final = np.flatnonzero(np.isin(TAGS, ("maintenance", "parking", "safety", "recycling", "seniors")))
# The share of each kind that has an end, and the range of days after posting in which it ends.
_ENDS: Final = np.array([0, 1, 0.2, 1, 1, 0.5])
_DAYS_OPEN: Final = np.array([[1, 2], [2, 21], [20, 40], [4, 30], [5, 14], [3, 14]])

_LANGUAGES: Final = {"en": 0.66, "de": 0.1, "es": 0.07, "fr": 0.05, "pl": 0.05, "tr": 0.04, "uk": 0.03}

_SPAMMERS: Final = 3  # of a community
_COLD_SHARE: Final = 0.06
_SPAM_SHARE: Final = 0.03
_COPY_SHARE: Final = 0.04
_UNSEEN_SHARE: Final = 0.04
_MIN_COPY_SIMILARITY: Final = 0.68  # Jaccard similarity of a copy and its original


@dataclass(frozen=True)
class Homes:
    """The communities, and the community of each block."""

    communities: tuple[str, ...]
    blocks: tuple[str, ...]
    community: Codes


@dataclass(frozen=True)
class People:
    """The residents as columns. `taste` is (residents, tags + 1): rows sum to one, the last column is no tag."""

    block: Codes
    community: Codes
    taste: Floats
    declared: list[str]
    language: list[str]
    joined: Times
    activity: Weights
    kind_taste: Floats


def plan_people(count: int, homes: Homes, rhythm: Rhythm, rng: Rng) -> People:
    """Residents of all blocks, in random order."""
    blocks = len(homes.blocks)
    block = np.append(np.arange(blocks), choose(rng.gamma(4.0, size=blocks), count - blocks, rng))
    block = block.astype(np.int32)[rng.permutation(count)]
    taste = _plan_taste(block, blocks, rng)
    joined = (rhythm.begin - rng.uniform(1, 1_000, count) * DAY).astype(np.int64)
    recent = rng.random(count) < 0.12
    joined[recent] = rhythm.begin + (rng.random(recent.sum()) * 0.8 * (rhythm.end - rhythm.begin)).astype(np.int64)
    activity = np.clip(rng.lognormal(0.0, 0.9, count), 0.05, 15.0)
    cold = rng.permutation(count)[: round(_COLD_SHARE * count)]
    activity[cold] = 0.0
    joined[cold] = rhythm.draw(max(rhythm.begin, rhythm.end - 4 * DAY), rhythm.end, rng, len(cold))
    return People(
        block=block,
        community=homes.community[block],
        taste=taste,
        declared=[_declare(row, rng) for row in taste[:, :-1]],
        language=np.array(list(_LANGUAGES))[choose(list(_LANGUAGES.values()), count, rng)].tolist(),
        joined=joined,
        activity=activity / activity.mean(),
        kind_taste=(rng.gamma(4.0, size=(count, len(KINDS))) / 4.0).astype(np.float32),
    )


def _plan_taste(block: Codes, blocks: int, rng: Rng) -> Floats:
    """Two to four tags each, mostly of two clusters that are likely in the block."""
    count = len(block)
    character = 0.4 * _CLUSTER_SHARE + 0.6 * rng.dirichlet(4 * _CLUSTER_SHARE, blocks)
    fondness = np.log(character)[block] + rng.gumbel(size=(count, len(_CLUSTER_SHARE)))
    own = np.argsort(-fondness, axis=1)[:, :2]
    lure = np.log(character)[block][:, _CLUSTER] + np.log(_TAG_WITHIN)
    lure += 2.0 * (_CLUSTER[None, :, None] == own[:, None, :]).any(axis=2) + rng.gumbel(size=(count, len(TAGS)))
    tags = np.argsort(-lure, axis=1)[:, :4]
    weight = 0.25 + rng.gamma(1.2, size=tags.shape)
    weight[np.arange(4) > choose((0, 0.35, 0.4, 0.25), count, rng)[:, None]] = 0.0
    taste = np.zeros((count, len(TAGS) + 1), dtype=np.float32)
    taste[np.arange(count)[:, None], tags] = weight / weight.sum(axis=1, keepdims=True)
    return taste


def _declare(taste: Floats, rng: Rng) -> str:
    liked = np.flatnonzero(taste)
    silent, slips, *kept = rng.random(2 + len(liked)).tolist()
    if silent < 0.1:
        return ""
    tags = [tag for tag, roll in zip(liked.tolist(), kept, strict=True) if roll < 0.75][:3]
    tags = tags or [int(taste.argmax())]
    if slips < 0.12:
        tags[-1 if len(tags) == 3 else len(tags) :] = [int(rng.integers(len(TAGS)))]
    return "|".join(dict.fromkeys(TAGS[tag] for tag in tags))


def plan_posts(count: int, homes: Homes, people: People, rhythm: Rhythm, rng: Rng) -> pl.DataFrame:
    """The items by time; `original` is the row an item copies. Every community has an item at the start."""
    roles, source = _cast(count, len(homes.communities), rng)
    community = choose(np.bincount(people.community), count, rng)
    community[: len(homes.communities)] = np.arange(len(homes.communities))
    community = community[source]
    spam, founding = roles == "spam", roles == "founding"
    creator = _draw_creators(community, roles, people, rhythm.begin, rng)
    creator = np.where(rng.random(count) < 0.6, creator[source], creator)
    subjects = [column[source] for column in _draw_subjects(people, creator, rng)]
    created = _draw_times(roles, source, rhythm, rng)
    tags = [column[source] for column in _tag(subjects[0], subjects[1], rng)]
    drafts = _write(community, subjects, spam, source, rng)
    columns = {
        "community": community,
        "block": np.where(founding, -1, _draw_blocks(creator, community, homes, people, rng)),
        "creator": creator,
        "kind": subjects[2],
        "topic": subjects[0],
        "second": np.where(spam, -1, subjects[1]),
        "title": [draft.title for draft in drafts],
        "text": [draft.text for draft in drafts],
        "tag": tags[0],
        "further_tag": tags[1],
        "created": created,
        "ends": np.where(founding, NEVER, _draw_ends(subjects[2], created, rng)),
        "spam": spam,
        "unseen": roles == "unseen",
        "appeal": rng.lognormal(0.0, 0.4, count),
        **_judge(creator, spam, source, len(people.block), rng),
    }
    order = np.argsort(created, kind="stable")
    columns["original"] = np.where(roles == "copy", np.argsort(order)[source], -1)
    return pl.DataFrame(columns)[order]


def _cast(count: int, communities: int, rng: Rng) -> tuple[npt.NDArray[np.str_], Rows]:
    """The role of each row, and the row it is made from: its own, or the one it copies."""
    counts = {"unseen": _UNSEEN_SHARE, "spam": _SPAM_SHARE, "copy": _COPY_SHARE}
    special = {role: round(share * count) for role, share in counts.items()}
    if 2 * sum(special.values()) > count - communities:
        special = {}
    plain = count - communities - sum(special.values())
    roles = np.repeat(["founding", "plain", *special], [communities, plain, *special.values()])
    source = np.arange(count)
    source[roles == "copy"] = rng.permutation(communities + plain)[: special.get("copy", 0)]
    return roles, source


def _draw_creators(community: Codes, roles: npt.NDArray[np.str_], people: People, begin: int, rng: Rng) -> Codes:
    """The creators: few residents post most items; -1 and -2 are organisations of the first community, etc."""
    creator = -1 - 2 * community - rng.integers(0, 2, len(community)).astype(np.int32)
    voice = rng.lognormal(0.0, 1.4, len(people.block)) * (rng.random(len(people.block)) < 0.4) + 0.002
    by_resident = (rng.random(len(community)) < 0.88) & (roles != "founding")
    for home in range(people.community.max() + 1):
        residents = rng.permutation(np.flatnonzero((people.community == home) & (people.joined < begin)))
        for rows, authors in (
            (np.flatnonzero(by_resident & (community == home)), residents),
            (np.flatnonzero((roles == "spam") & (community == home)), residents[:_SPAMMERS]),
        ):
            if len(authors):
                creator[rows] = authors[choose(voice[authors], len(rows), rng)]
    return creator


def _draw_subjects(people: People, creator: Codes, rng: Rng) -> tuple[Codes, Codes, Codes]:
    """The topic, the second topic (-1: none) and the kind of each item."""
    count, managed = len(creator), creator < 0
    topics = []
    for follows_taste in (0.7, 0.9):
        roll = rng.random((count, 1)) * (1 - 1e-6)
        liked = (roll >= np.cumsum(people.taste[np.maximum(creator, 0), :-1], axis=1)).sum(axis=1)
        drawn = np.where(
            rng.random(count) < follows_taste, liked, choose(_CLUSTER_SHARE[_CLUSTER] * _TAG_WITHIN, count, rng)
        )
        topics.append(
            np.where(managed, rng.choice(_MANAGED, count), drawn).astype(np.int32).clip(0, len(TAGS) - 1)
        )
    topic, second = topics
    has_second = (rng.random(count) < 0.5) & (second != topic) & ~managed
    reach = np.cumsum(np.where(managed[:, None], _OF_MANAGEMENT, _KIND_SHARE[_CLUSTER[topic]]), axis=1)
    kind = (rng.random((count, 1)) * reach[:, -1:] >= reach).sum(axis=1)
    return topic, np.where(has_second, second, -1).astype(np.int32), kind.astype(np.int32)


def _draw_times(roles: npt.NDArray[np.str_], source: Rows, rhythm: Rhythm, rng: Rng) -> Times:
    count = len(roles)
    created = rhythm.draw(rhythm.begin, rhythm.end - HOUR, rng, count)
    created[roles == "founding"] = rhythm.begin
    unseen = roles == "unseen"
    created[unseen] = rhythm.draw(max(rhythm.begin, rhythm.end - 2 * DAY), rhythm.end, rng, unseen.sum())
    first = created[source]
    later = first + 60 + (rng.random(count) * np.minimum(8 * DAY, rhythm.end - first - 120)).astype(np.int64)
    return np.where(roles == "copy", later, created)


def _draw_ends(kind: Codes, created: Times, rng: Rng) -> Times:
    days = rng.uniform(_DAYS_OPEN[kind, 0], _DAYS_OPEN[kind, 1])
    ends = (created + (days * DAY).astype(np.int64)) // HOUR * HOUR
    return np.where(rng.random(len(kind)) < _ENDS[kind], ends, NEVER)


def _draw_blocks(creator: Codes, community: Codes, homes: Homes, people: People, rng: Rng) -> Codes:
    """Some items are for the block of their creator only, or for a block that an organisation manages."""
    offset = (rng.random(len(creator)) * np.bincount(homes.community)[community]).astype(np.int32)
    of_creator = people.block[np.maximum(creator, 0)]
    block = np.where(creator < 0, np.searchsorted(homes.community, community) + offset, of_creator)
    return np.where(rng.random(len(creator)) < 0.35, block, -1).astype(np.int32)


def _tag(topic: Codes, second: Codes, rng: Rng) -> tuple[Codes, Codes]:
    """The tags by the creators (-1: none): some are wrong, some are missing."""
    slip = rng.random(len(topic))
    main = np.where(slip < 0.05, rng.integers(0, len(TAGS), len(topic)), np.where(slip < 0.1, -1, topic))
    further = np.where(rng.random(len(topic)) < 0.85, second, -1)
    return main.astype(np.int32), further.astype(np.int32)


def _judge(
    creator: Codes, spam: Mask, source: Rows, residents: int, rng: Rng
) -> dict[str, npt.NDArray[np.generic]]:
    """The true quality, the observed one (NaN: none), and how often an item was reported."""
    count = len(creator)
    skill = np.where(creator < 0, 0.83, rng.beta(6.0, 3.0, residents)[np.maximum(creator, 0)])
    quality = np.clip(skill + rng.normal(0.0, 0.08, count), 0.3, 0.98)
    quality = np.where(rng.random(count) < 0.03, rng.uniform(0.15, 0.28, count), quality)[source]
    quality = np.where(source != np.arange(count), np.maximum(0.8 * quality, 0.15), quality)
    quality = np.where(spam, rng.uniform(0.01, 0.14, count), quality)
    seen = np.clip(quality + rng.normal(0.0, 0.05, count), 0.02, 0.99)
    seen = np.where(spam, np.minimum(seen, 0.24), np.where(quality >= 0.3, np.maximum(seen, 0.3), seen))
    missing = rng.random(count) < np.where(spam, 0.25, 0.1)
    reports = np.where(spam, rng.poisson(1.5, count), choose((0.9, 0.07, 0.03), count, rng))
    return {
        "quality": quality.round(3),
        "seen_quality": np.where(missing, np.nan, seen.round(3)),
        "reports": reports + 3 * (spam & missing),
    }


def _write(community: Codes, subjects: list[Codes], spam: Mask, source: Rows, rng: Rng) -> list[Draft]:
    writer, drafts = posts.Writer(rng), list[Draft]()
    columns = (column.tolist() for column in (community, *subjects, spam, source))
    for row, (home, topic, second, kind, is_spam, first) in enumerate(zip(*columns, strict=True)):
        if first != row:
            drafts.append(_edit(drafts[first], rng))
        elif is_spam:
            drafts.append(writer.unlike_earlier(home, "spam", lambda: _advertise(rng)))
        else:
            drafts.append(writer.write(home, KINDS[kind], TAGS[topic], TAGS[second] if second >= 0 else None))
    return drafts


_SPAM_TITLES: Final = split("""
    Earn {cash} from your sofa / Miracle {cure} doctors never mention / You have won {prize}!!! / Click before
    {day}: free {prize} / {cash} without any questions asked / Double your savings by {day} / Secret {cure} finally
    revealed / Only today: {prize} for nothing
""", " / ")  # fmt: skip
_BAIT: Final = {name: split(words, ", ") for name, words in paragraphs("""
cash: 2,000 euros, 4,500 dollars, 9,000 euros, 750 a day, 12,000 a month, 300 an hour
cure: slimming tea, detox patch, magnet bracelet, youth serum, hair tonic, keto gummy, sleep crystal
prize: smartphones, gift cards, cruise tickets, gold coins, game consoles, designer handbags
site: quick-cash.example, luckywin.example, slimfast24.example, coin-rocket.example, deal4u.example
""")}  # fmt: skip
_SPAM: Final = {name: split(words) for name, words in paragraphs("""
hook: My cousin {name} made {cash} in {count} days with one simple trick! This {cure} melts years away overnight!
  Congratulations, your address was drawn for {prize}! Banks hate it when people learn how to get {cash}! Your
  neighbours already collect {prize} while you wait! A retired banker shows how {cash} arrives by itself! Throw
  away your pills, because the {cure} fixes everything in {count} nights!
proof: No experience is needed and the money lands in your account {time}. Only {count} units are left in the
  warehouse. Thousands of happy customers like {name} cannot be wrong. The offer of {prize} ends on {day} and
  never returns. Experts were shocked when they saw {cash} after {count} hours. You pay nothing now and only
  {price} for shipping. It is fully legal, risk free and approved by a famous doctor called {name}.
link: Visit {site} right now and enter your card number! Click {site} before {day}, the link will be deleted!
  Send a message with the word WIN to claim {prize}! Share it with {count} friends and open {site} to confirm!
  Hurry to {site}, the first {count} visitors get double! Reply {time} and {name} will call with a secret code!
""")}  # fmt: skip


def _advertise(rng: Rng) -> Draft:
    frame = tuple(one_of(sentences, rng) for sentences in _SPAM.values())
    return posts.fill(one_of(_SPAM_TITLES, rng), frame, posts.draw_slots(rng, **_BAIT))


def _edit(draft: Draft, rng: Rng) -> Draft:
    """A copy with the small changes that people make when they post twice."""
    for changes in (3, 3, 3, 2, 2, 2, 1):
        copy = draft
        for number in rng.permutation(len(_CHANGES))[:changes].tolist():
            copy = _CHANGES[number](copy)
        kept = min(posts.similarity(draft.pairs(word), copy.pairs(word)) for word in (r"\w+", r"\S+"))
        if copy != draft and kept >= _MIN_COPY_SIMILARITY:
            return copy
    return replace(draft, title=draft.title + "!!")


_SYNONYMS: Final = {
    "neighbours": "residents", "Please": "Kindly", "please": "kindly", "because": "since", "welcome": "invited",
    "usually": "mostly", "Every": "Each", "every": "each", "everybody": "everyone", "nobody": "no one",
    "building": "house", "write": "leave", "help": "support", "always": "still",
}  # fmt: skip


def _reword(draft: Draft) -> Draft:
    text = re.sub(r"\w+", lambda match: _SYNONYMS.get(match[0], match[0]), "\n".join(draft.sentences))
    return replace(draft, sentences=tuple(text.split("\n")))


def _shout(draft: Draft) -> Draft:
    return replace(draft, sentences=(*draft.sentences[:-1], draft.sentences[-1].rstrip(".!?") + "!!"))


def _reorder(draft: Draft) -> Draft:
    *first, one, other = draft.sentences
    return replace(draft, sentences=(*first, other, one))


def _push(draft: Draft) -> Draft:
    return replace(draft, title="Again: " + draft.title[0].lower() + draft.title[1:])


def _other_day(draft: Draft) -> Draft:
    return replace(draft, sentences=tuple(re.sub(r"\b(Mon|Tues|Fri)day\b", "Sunday", s) for s in draft.sentences))


_CHANGES: Final = (_reword, _shout, _reorder, _push, _other_day)
