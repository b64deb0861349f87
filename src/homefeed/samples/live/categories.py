"""What is streamed: categories, each of a few hidden styles. A segment is one style of one category."""

from __future__ import annotations

from typing import Final

CATEGORIES: Final = (
    "Talk", "Shooters", "Music", "Role-playing games", "Sports", "Strategy games", "Racing games", "Cooking",
    "Fitness", "Travel", "Art", "Science", "Dance", "Crafts", "News", "Nature",
)  # fmt: skip
"""The names of the categories; `category_id` is the place, from 0."""

CATEGORY_SHARES: Final = tuple(1 / (2 + place) for place in range(len(CATEGORIES)))
"""How much there is of each, and how many like it: a power law."""

MATURE_SHARES: Final = tuple(
    {"Talk": 0.25, "Shooters": 0.35, "Role-playing games": 0.15, "Art": 0.1}.get(name, 0.02) for name in CATEGORIES
)
"""How many streams of each are for adults."""

STYLES: Final = 4
SEGMENTS: Final = len(CATEGORIES) * STYLES
