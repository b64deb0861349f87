"""The products of the shop sample: names as sellers write them, prices, ratings and demand."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np

from homefeed.samples import DAY, Rng, Shelves, Weights
from homefeed.samples.shop.complements import SLOTS, slots
from homefeed.samples.shop.sellers import ADJECTIVES, BRANDS, PALETTES
from homefeed.samples.shop.wares import MAINS, SHELVES, Kind
from homefeed.types import Codes, Floats, Mask, Times

TREND_DAYS: Final = 7
"""How long before the end some products begin to rise."""

KIND_SHELF: Final = np.repeat(np.arange(len(SHELVES)), [len(shelf.kinds) for shelf in SHELVES]).astype(np.int32)
"""The shelf of each kind of thing."""

SHELF_MAIN: Final = np.array([MAINS.index(shelf.main) for shelf in SHELVES], np.int32)
"""The main category of each shelf."""

ALL_KINDS: Final[tuple[Kind, ...]] = tuple(kind for shelf in SHELVES for kind in shelf.kinds)
"""Every kind, shelf by shelf: as they are numbered."""

_USUAL_PRICE: Final = np.array([kind.price for kind in ALL_KINDS])
_SPREAD: Final = 0.35  # of the logarithm of prices of one kind and brand
_BRAND_SPREAD: Final = 0.7  # between the logarithms of the cheapest and the most expensive brand's price
_LEVEL: Final = 0.42  # the standard deviation that both make

_COPY_SHARE: Final = 0.005
_NEW_SHARE: Final = 0.2
_RISING_SHARE: Final = 0.01
_BACK_CATALOGUE: Final = 1_000 * DAY  # time over which the older products arrived
_POPULARITY_EXPONENT: Final = 0.85
_DISCOUNTED_SHARE: Final = 0.7
_UNRATED_SHARE: Final = 0.05

_DIGITS: Final = np.array(list("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
_IDS: Final = 36**9
_STRIDE: Final = 62_768_371_829_417  # shares no factor with 36, so no id is repeated
_CAPITALS: Final = re.compile(r"^(tv|usb|usb-c|led|ssd|hdmi|rc|bbq|aa|ac|bp|sd|pc|a4|4k|uv)$")
_WITH_MODEL: Final = ("Electronics", "Computers", "Appliances", "Tools & DIY", "Automotive")
_MODEL_PRICE: Final = 25  # minimum price of a product with a model name


@dataclass(frozen=True)
class Stock:
    """The products as columns; `level` is the price relative to its kind, in standard deviations.

    `brand`, `look` and `detail` are places in the lists of its main category and kind. `original` is the row of
    it copies, `partners` (products, SLOTS) the best fit for it among each complement of its kind; -1: none.
    """

    id: list[str]
    name: list[str]
    kind: Codes
    brand: Codes
    look: Codes
    detail: Codes
    price: Weights
    full_price: Weights
    level: Floats
    rating: Weights
    reviews: Weights
    appeal: Weights
    arrives: Times
    rising: Codes
    original: Codes
    partners: Codes

    @property
    def shelf(self) -> Codes:
        """The shelf of each product."""
        shelves: Codes = KIND_SHELF[self.kind]
        return shelves


def plan_stock(count: int, begin: int, end: int, rng: Rng) -> Stock:
    """Products of every kind: some arrive between `begin` and `end`, the others were there before."""
    copies = round(_COPY_SHARE * count)
    original = np.full(count, -1, np.int32)
    original[count - copies :] = rng.permutation(count - copies)[:copies]
    source = np.where(original >= 0, original, np.arange(count))
    kind = _draw_kinds(count, rng)[source]
    brand, look, detail = (column[source] for column in _draw_words(kind, rng))
    level, price, full_price = _draw_prices(kind, brand, rng)
    quality = rng.normal(size=count)
    appeal = np.power(rng.permutation(count) + 3.0, -_POPULARITY_EXPONENT).astype(np.float64)
    appeal *= np.exp(0.25 * quality + 0.6 * (1 - price / full_price))
    arrives = _draw_arrivals(count, begin, end, rng)
    rating, reviews = _draw_ratings(quality, appeal, arrives < begin, rng)
    rising = np.flatnonzero((arrives < end - TREND_DAYS * DAY) & (appeal < np.median(appeal)))
    rising = rng.permutation(rising)[: round(_RISING_SHARE * count)]
    names = _write_names(kind[: count - copies], brand, look, detail, rng)
    return Stock(
        id=_ids(count, int(rng.integers(_IDS))),
        name=[names[row] for row in source.tolist()],
        kind=kind,
        brand=brand,
        look=look,
        detail=detail,
        price=price,
        full_price=full_price,
        level=level,
        rating=rating,
        reviews=reviews,
        appeal=appeal,
        arrives=arrives,
        rising=rising.astype(np.int32),
        original=original,
        partners=_match(kind, appeal, arrives, (begin, end), rng),
    )


def _draw_kinds(count: int, rng: Rng) -> Codes:
    """Every kind once if there are enough products, and more of some kinds."""
    kinds = len(ALL_KINDS)
    share = np.cumsum(rng.lognormal(0.0, 0.5, kinds))
    drawn = np.searchsorted(share, rng.random(count) * share[-1], side="right")
    if count >= 2 * kinds:
        drawn[:kinds] = np.arange(kinds)
    kind: Codes = drawn[rng.permutation(count)].astype(np.int32)
    return kind


def _draw_words(kind: Codes, rng: Rng) -> tuple[Codes, Codes, Codes]:
    """The brand, the look and the first detail of each; the first looks are the most common."""
    sizes = (
        [len(BRANDS[SHELVES[shelf].main]) for shelf in KIND_SHELF],
        [len(PALETTES[each.palette]) for each in ALL_KINDS],
        [len(each.details) for each in ALL_KINDS],
    )
    brand, look, detail = (
        (np.array(size)[kind] * rng.random(len(kind)) ** power).astype(np.int32)
        for size, power in zip(sizes, (1.0, 1.4, 1.0), strict=True)
    )
    return brand, look, detail


def _draw_prices(kind: Codes, brand: Codes, rng: Rng) -> tuple[Floats, Weights, Weights]:
    """The price level of each within its kind, its price and the one before the discount, both in whole cents."""
    place = brand / (max(map(len, BRANDS.values())) - 1) - 0.5
    dear = _BRAND_SPREAD * place + rng.normal(0.0, _SPREAD, len(kind))
    ratio = np.where(rng.random(len(kind)) < _DISCOUNTED_SHARE, rng.beta(2.0, 4.0, len(kind)), 0.0)
    price = _USUAL_PRICE[kind] * np.exp(dear)
    full_price = _tagged(price / (1 - ratio))
    price = np.where(ratio > 0, np.minimum(_tagged(price), full_price), full_price)
    return (dear / _LEVEL).astype(np.float32), price, full_price


def _tagged(price: Weights) -> Weights:
    """Prices as on tags: ending in 49 or 99 cents, high ones in 99."""
    step = np.where(price < 30, 0.5, np.where(price < 200, 1.0, 10.0))
    tagged: Weights = np.round(np.maximum(np.ceil(price / step) * step, 0.5) - 0.01, 2)
    return tagged


def _draw_arrivals(count: int, begin: int, end: int, rng: Rng) -> Times:
    is_new = rng.random(count) < _NEW_SHARE
    arrives = np.where(is_new, rng.integers(begin, end, count), begin - rng.integers(1, _BACK_CATALOGUE, count))
    arrives = arrives // 60 * 60
    arrives[arrives.argmin()] = min(arrives.min(), begin)  # something can always be bought
    return arrives


def _draw_ratings(quality: Weights, appeal: Weights, is_old: Mask, rng: Rng) -> tuple[Weights, Weights]:
    """The rating and the number of ratings of each, NaN where there is none."""
    pull = (np.log(appeal) - np.log(appeal).mean()) / max(float(np.log(appeal).std()), 1e-9)
    reviews = np.floor(np.exp(np.where(is_old, 4.6, 2.0) + 1.2 * pull + rng.normal(0.0, 1.4, len(quality))))
    noise = rng.normal(size=len(quality)) * 0.8 / np.sqrt(1 + reviews / 4)
    rating = np.clip(4.05 + 0.42 * quality - 0.1 * np.maximum(-quality, 0) ** 2 + noise, 1, 5).round(1)
    unrated = (reviews < 1) | (rng.random(len(quality)) < _UNRATED_SHARE)
    return np.where(unrated, np.nan, rating), np.where(unrated, np.nan, reviews)


def _match(kind: Codes, appeal: Weights, arrives: Times, window: tuple[int, int], rng: Rng) -> Codes:
    """For each product one of each complement of its kind: the one that fits it."""
    shelves = Shelves.build(kind, np.arange(len(kind), dtype=np.int32), appeal, arrives, window)
    wanted = slots()[0][kind]
    partners = np.full((len(kind), SLOTS), -1, np.int32)
    row, slot = np.nonzero(wanted >= 0)
    moment = np.maximum(arrives[row], window[0])
    partners[row, slot] = shelves.draw(wanted[row, slot], moment, rng.random((len(row), 1)))[:, 0]
    return partners


def _ids(count: int, first: int) -> list[str]:
    number = np.array([(first + row * _STRIDE) % _IDS for row in range(count)], np.int64)
    digits = number[:, None] // 36 ** np.arange(8, -1, -1) % 36
    return ["S" + "".join(row) for row in _DIGITS[digits].tolist()]


def _write_names(kind: Codes, brand: Codes, look: Codes, detail: Codes, rng: Rng) -> list[str]:
    """A unique name for each: a seller uses any of the names of a kind, the first most often."""
    taken: set[str] = set()
    names: list[str] = []
    rolls = rng.random((len(kind), 5))
    columns = (column.tolist() for column in (kind, brand, look, detail, rolls))
    for number, (code, *words, roll) in enumerate(zip(*columns, strict=False)):
        name = _name(code, words, roll)
        if name in taken:
            others = [detail for detail in ALL_KINDS[code].details if detail not in name]
            name = ", ".join([name, *others[:1]])
        if name in taken:
            name = f"{name}, Model {number + 100}"
        taken.add(name)
        names.append(name)
    return names


def _name(code: int, words: list[int], roll: list[float]) -> str:
    shelf, kind = SHELVES[KIND_SHELF[code]], ALL_KINDS[code]
    called = kind.names[max(0, int(roll[0] * (len(kind.names) + 1)) - 1)]
    adjectives = ADJECTIVES[shelf.main]
    brand, look, detail = BRANDS[shelf.main][words[0]], PALETTES[kind.palette][words[1]], kind.details[words[2]]
    if shelf.main in _WITH_MODEL and kind.price >= _MODEL_PRICE and roll[2] < 0.5:
        brand = f"{brand} {'ABDGKMNRSTXZ'[int(roll[2] * 24)]}{int(roll[3] * 90 + 10) * 10}"
    thing = display(called)
    if roll[1] < 0.8:
        thing = f"{adjectives[int(roll[1] / 0.8 * len(adjectives))]} {thing}"
    name = f"{brand} {shelf.audience} {thing}".replace("  ", " ")
    if roll[3] < 0.4:
        return ", ".join(filter(None, (name, detail, look)))
    if roll[3] < 0.7:
        return f"{name}, {detail}{look and f' ({look})'}"
    return f"{name} - {', '.join(filter(None, (detail, _another_detail(code, words[2], roll[4]), look)))}"


def _another_detail(code: int, detail: int, roll: float) -> str:
    details = ALL_KINDS[code].details
    return details[(detail + 1 + int(roll * (len(details) - 1))) % len(details)]


@cache
def display(words: str) -> str:
    """Words as in a headline, abbreviations in capitals."""
    parts = words.split(" ")
    return " ".join(part.upper() if _CAPITALS.match(part) else part[0].upper() + part[1:] for part in parts)
