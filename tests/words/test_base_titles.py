"""Base titles: what goes, size, colour and number, and what stays because it is another product."""

from __future__ import annotations

import time

import pytest

from homefeed.words import base_title


@pytest.mark.parametrize(
    ("base", "titles"),
    [
        (
            "levi s shirt",
            [
                "Levi's Shirt",
                "Levi's Shirt (Blue, L)",
                "Levi's Shirt, Sky-Blue, Size M",
                "LEVI'S Shirt 2XL Navy Blue",
                "Levi's Shirt - dark olive - XXL",
                "Levi's Red Shirt - X-Large",
                "Levi's Shirt S/M/L",
                "Levi's Shirt | Multi-Colour | Pack of 3",
                "Levi's Shirt-Light Grey-L",
                "Levi's Shirt_Black_XS",
                "Levi's Shirt, Colour: Red",
                "Levi's Shirt (Free Size) Extra Large",
                "Levi's Shirt, 3-4 Years",
            ],
        ),
        ("shoes", ["Shoes UK 8", "Shoes 9.5 UK", "Shoes, size EU 42-43", "Shoes size 9", "Shoes (1 pair)"]),
        ("iphone 13", ["iPhone 13 128GB Midnight Blue", "iPhone 13 (256 GB, Pink)"]),
        ("tv ram", ["TV 43 inches (4GB RAM, 64GB)", 'TV 32" (2 GB RAM)', "TV 80 cm RAM"]),
        (
            "rug",
            [
                "Rug 6x4",
                "Rug 6 x 4 ft",
                "Rug 90\u00d7100\u00d72 cm",
                "Beige & Green Rug 4 by 6 ft".replace(" by ", "x"),
            ],
        ),
        ("mugs", ["Set of 6 Mugs", "Mugs 6 pcs", "Mugs, 350 ml", "Mugs (Orange)", "Mugs - Rose Gold"]),
        ("hemd", ["Hemd hellblau Größe 42", "Hemd, weiß, Größe M", "Hemd (Groß) 3er Pack".replace("3er", "3")]),
        ("schuhe", ["Schuhe grün", "Schuhe GRU\u0308N"]),
        ("नीली कमीज", ["नीली कमीज 2XL"]),
        ("safran", ["Safran 5 g", "Safran 10g"]),
    ],
)
def test_size_colour_and_number_go(base: str, titles: list[str]) -> None:
    assert {title: base_title(title) for title in titles} == dict.fromkeys(titles, base)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("iPhone 13", "iPhone 14"),
        ("Toy Story 2", "Toy Story 3"),
        ("boAt BassHeads 100 (Black)", "boAt BassHeads 105 (Black)"),
        ("Mochi Sandals (32-1613)", "Mochi Sandals (44-1675)"),
        ("Logitech G502", "Logitech G305"),
        ("Samsung UA43AUE65AKXXL", "Samsung UA32AUE65AKXXL"),
        ("Galaxy S20 4G", "Galaxy S20 5G"),
        ("Galaxy S (Black)", "Galaxy M (Black)"),
        ("Drill 12 V", "Drill 18 V"),
        ("Green Tea 100 g", "Black Tea 100 g"),
        ("Red Wine", "White Wine"),
        ("Orange Juice 1 L", "Peach Juice 1 L"),
        ("Silver Coin 1 g", "Gold Coin 1 g"),
        ("Split AC 3 Star", "Split AC 5 Star"),
        ("Redmi Case", "Case"),
    ],
)
def test_what_is_another_product_stays(one: str, other: str) -> None:
    assert base_title(one) != base_title(other)


@pytest.mark.parametrize("title", ["", "Black", "(Small, Red)", "2XL", "Size 9 | 64 GB", "!?"])
def test_nothing_is_left_of_size_and_colour_alone(title: str) -> None:
    assert base_title(title) == ""


@pytest.mark.parametrize(
    "piece", ["dark ", "1-", "1.1", "- ", "size:", "x-", "s/", "1x", " ", "(rose-", "x", "1", ",s", "multi "]
)
def test_the_longest_title_takes_a_moment(piece: str) -> None:
    """A repetition inside another would take hours."""
    title = piece * (60_000 // len(piece))
    began = time.process_time()
    base_title(title)
    assert time.process_time() - began < 2
