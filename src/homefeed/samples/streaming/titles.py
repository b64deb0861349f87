"""The titles of the streaming sample, with realistic names, and how users pick them.

Every genre has hidden styles that are in no column of the files; a genre and a style make a segment.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, product, zip_longest
from string import Formatter
from typing import Final

import numpy as np

from homefeed.samples import Rng, Shelves, Weights, split
from homefeed.types import Codes, Times

CONTENT_TYPES: Final = ("tv", "movie", "series", "microdrama")

STYLES: Final = 6
"""Hidden styles of each genre."""

_TYPE_SHARE: Final = np.array([0.2, 0.35, 0.25, 0.2])
_TYPICAL_SECONDS: Final = np.array([1_500, 6_000, 2_700, 90])
_NEW_ITEM_SHARE: Final = 0.25
_BACK_CATALOGUE_SECONDS: Final = 1_000 * 86_400  # seconds over which the older items arrived
_SECOND_GENRE_SHARE: Final = 0.45
_POPULARITY_EXPONENT: Final = 1.0
_PREMIERE_SHARE: Final = 0.1  # plays that prefer the newest titles
_ORIGINAL_SHARE: Final = 0.8  # of a genre's titles of one type; the rest are sequels and later seasons


@dataclass(frozen=True)
class Words:
    """The words of one genre's titles; nouns and roles have a regular plural."""

    adjective: tuple[str, ...]
    noun: tuple[str, ...]
    role: tuple[str, ...]
    place: tuple[str, ...]


def _words(adjectives: str, nouns: str, roles: str, places: str) -> Words:
    return Words(*(split(words, ", ") for words in (adjectives, nouns, roles, places)))


_CITIES = (
    "Lisbon, Trieste, Bergen, Marseille, Porto, Vienna, Naples, Istanbul, Edinburgh, Havana, Kyoto, Tangier, "
    "Seville, Prague, Montreal, Cairo, Galway, Odessa, Valparaiso, Antwerp, Hanoi, Tbilisi, Bruges, Zanzibar"
)
_VILLAGES = (
    "Willow Lane, Juniper Street, Maple Hill, Rosewood, Otter Bay, Blackberry Farm, Fernley, Pebble Cove, "
    "Hazel Green, Sandpiper Point, Thistledown, Apple Cross, Kingfisher Bridge, Mill Pond, Clover Field"
)
_REALMS = (
    "Eldermoor, Valdris, Thornreach, Ashenvale, Caldera, Mirefall, Ravenhold, Silverdeep, Wyndhaven, "
    "Oakenspire, Tarnwater, Emberfell, Frostmere, Hollowmark, Starfall"
)
_STATIONS = (
    "Europa, Titan, Meridian, Orion, Ganymede, Kepler, Calypso, New Geneva, Proxima, Ceres, Andromeda, "
    "Vega, Halcyon, Callisto, Perihelion"
)
_GROUNDS = (
    "Ravenscar, Gallow Hill, Blackwater, Hollow Creek, Dunmoor, Widow Lake, Saint Orrin, Cold Harbour, "
    "Wychwood, Grimsby Head, Nightingale House, Barrow End, Salem Road, Marrow Wood, Ashgrove"
)

WORDS: Final[dict[str, Words]] = {
    "Action": _words(
        "Final, Burning, Reckless, Iron, Unbroken, Rogue, Scarlet, Relentless, Hunted, Bulletproof",
        "Convoy, Vendetta, Detonator, Crossfire, Blockade, Pursuit, Standoff, Payload, Runway, Overdrive",
        "Legionnaire, Courier, Smuggler, Commander, Sharpshooter, Bodyguard, Getaway Driver, Raider",
        _CITIES,
    ),
    "Adventure": _words(
        "Forgotten, Golden, Uncharted, Daring, Far, Emerald, Restless, Wandering, Sunken, Wild",
        "Compass Rose, Caravan, Expedition, Jungle Trail, Lagoon, Treasure Map, Voyage, Canyon, Monsoon",
        "Explorer, Pathfinder, Castaway, Navigator, Diver, Mountaineer, Cartographer, Wayfarer, Buccaneer",
        "Zanzibar, Patagonia, Borneo, Samarkand, Kathmandu, the Andes, Timbuktu, Madagascar, the Amazon, "
        "Sumatra, the Yukon, Cusco, the Azores, Ladakh, Tasmania",
    ),
    "Animation": _words(
        "Tiny, Marvellous, Curious, Bouncing, Clockwork, Sleepy, Rainbow, Mighty, Upside-Down, Wobbly",
        "Robot, Teapot, Balloon, Snowflake, Acorn, Paper Boat, Pumpkin, Moonbeam, Tin Drum, Umbrella",
        "Hedgehog, Penguin, Tinkerer, Dragonet, Badger, Puffin, Inventor, Raccoon, Toymaker, Otter",
        "Puddleton, Cloudberry Island, Buttonville, Marmalade Bay, the North Pole, Tumbledown, Pepperwood, "
        "Gumdrop Valley, Nutmeg Town, Lollipop Hill, Whistle Rock, Jellybean Junction",
    ),
    "Comedy": _words(
        "Reluctant, Awkward, Overdue, Accidental, Perfectly Terrible, Borrowed, Unlikely, Half-Baked",
        "Wedding Cake, Reunion, Punchline, Road Trip, Deposit, Karaoke Night, Casserole, Lottery Ticket",
        "Neighbour, Roommate, Flatmate, Wedding Planner, Caterer, In-Law, Landlord, Dog Walker, Bridesmaid",
        "Brighton, Dublin, Bristol, Cardiff, Malaga, Leeds, Rotterdam, Reykjavik, Blackpool, Ghent, Cork, "
        "Margate, Aarhus, Lyon, Bologna",
    ),
    "Crime": _words(
        "Crooked, Guilty, Cold, Unmarked, Dirty, Missing, Buried, Counterfeit, Velvet, Paid-Off",
        "Alibi, Ledger, Verdict, Heist, Confession, Evidence Room, Ransom, Racket, Autopsy Report, Getaway",
        "Detective, Inspector, Informer, Safecracker, Forger, Prosecutor, Pickpocket, Coroner, Magistrate",
        _CITIES,
    ),
    "Documentary": _words(
        "Hidden, Living, Disappearing, Ordinary, Frozen, Patient, Untold, Deep, Vanishing, Working",
        "Ocean, River, Glacier, Orchard, Coral Reef, Railway, Wetland, Kitchen, Archive, Starfield",
        "Beekeeper, Lighthouse Keeper, Shepherd, Bridge Builder, Ferry Pilot, Baker, Glassblower, "
        "Cartoonist, Luthier",
        "Greenland, the Serengeti, Svalbard, the Danube, the Camargue, Lapland, Mongolia, the Hebrides, "
        "Lake Baikal, the Mekong, Sicily, the Alps, Iceland, the Sahel, Kamchatka",
    ),
    "Drama": _words(
        "Quiet, Broken, Second, Unspoken, Fading, Inherited, Distant, Fragile, Ordinary, Tender",
        "Harbour Light, Promise, Window, Heirloom, Winter, Orchard Gate, Piano, Farewell, Tide, Letter",
        "Lantern Keeper, Daughter, Widower, Sister, Boat Builder, Schoolteacher, Stranger, Violinist",
        _CITIES,
    ),
    "Family": _words(
        "Big, Happy, Muddy, Sunny, Lost, Noisy, Homemade, Brave, Barefoot, Magical",
        "Treehouse, Picnic, Spaniel, Camping Trip, Bicycle, Kite, Snow Day, Lemonade Stand, Sandcastle",
        "Grandparent, Cousin, Twin, Babysitter, Scout, Farmhand, Neighbourhood Kid, Stepbrother, Goalkeeper",
        _VILLAGES,
    ),
    "Fantasy": _words(
        "Enchanted, Cursed, Silver, Ancient, Starlit, Hollow, Crowned, Moonlit, Shattered, Everlasting",
        "Throne, Spellbook, Amulet, Raven, Ember, Prophecy Stone, Crown, Dragon, Thornwood, Rune",
        "Spellwright, Oathkeeper, Witch Hunter, Storm Rider, Bladesinger, Dragonlord, Alchemist, Seer",
        _REALMS,
    ),
    "History": _words(
        "Imperial, Forgotten, Loyal, Besieged, Royal, Revolutionary, Exiled, Gilded, Rebel, Noble",
        "Regiment, Treaty Table, Crown Jewel, Armada, Rampart, Dynasty Seal, Coronation, Siege, Banner",
        "Queen, Chancellor, Cavalier, Ambassador, Pamphleteer, Spymaster, Suffragette, Musketeer, Admiral",
        "Constantinople, Versailles, Florence, Cordoba, Waterloo, Krakow, Granada, Saint Petersburg, "
        "Venice, Alexandria, Toledo, Canterbury, Antioch, Bruges",
    ),
    "Horror": _words(
        "Crawling, Hungry, Pale, Whispering, Bleeding, Nameless, Rotting, Sleepless, Locked, Drowned",
        "Cellar, Scarecrow, Mirror, Crypt, Music Room, Doll, Chapel, Attic, Seance, Shadow",
        "Undertaker, Gravedigger, Mourner, Exorcist, Caretaker, Medium, Night Nurse, Sleepwalker, Visitor",
        _GROUNDS,
    ),
    "Romance": _words(
        "Stolen, First, Summer, Secret, Midsummer, Wildflower, Hopeful, Honest, Sunlit, Long-Distance",
        "Goodbye, Love Letter, Tango, Honeymoon, Valentine, Proposal, Bouquet, Slow Dance, Encounter",
        "Florist, Pianist, Debutante, Bookseller, Matchmaker, Pen Pal, Gardener, Winemaker, Poet, Duke",
        "Paris, Amalfi, Provence, Santorini, Verona, Cornwall, Lake Como, Savannah, Sintra, Buenos Aires, "
        "Tuscany, Charleston, Capri, Salzburg, Madeira",
    ),
    "Sci-Fi": _words(
        "Silent, Orbital, Synthetic, Infinite, Quantum, Derelict, Crimson, Weightless, Parallel, Electric",
        "Signal, Starship, Airlock, Outpost, Satellite, Wormhole, Android, Timeline, Beacon, Eclipse",
        "Astronaut, Terraformer, Replicant, Pilot, Xenologist, Star Miner, Time Broker, Engineer, Defector",
        _STATIONS,
    ),
    "Thriller": _words(
        "Double, Silent, Vanished, Deadly, Blind, Poisoned, Thirteenth, Perfect, Unseen, Sealed",
        "Witness List, Passenger Seat, Codename, Night Train, Safe House, Hostage, Deadline, Cipher",
        "Informant, Hacker, Double Agent, Diplomat, Translator, Stalker, Analyst, Whistleblower, Kidnapper",
        _CITIES,
    ),
}

GENRES: Final = tuple(WORDS)

GENRE_SHARES: Final = {
    "Action": 10, "Adventure": 7, "Animation": 6, "Comedy": 12, "Crime": 9, "Documentary": 5, "Drama": 13,
    "Family": 6, "Fantasy": 6, "History": 4, "Horror": 5, "Romance": 8, "Sci-Fi": 6, "Thriller": 8,
}  # fmt: skip
"""The weight of each genre, in production and in taste."""

_MOMENTS: Final = ("Midnight", "Winter", "Sunday", "Snow", "Summer", "Rain", "Daybreak", "One Night", "Alone")

_PATTERNS: Final[dict[str, tuple[str, ...]]] = {
    "tv": ("{role}s of {place}", "{adjective} {role}s", "The {noun} Hour", "Inside the {noun}"),
    "movie": (
        "{moment} in {place}",
        "The {adjective} {noun}",
        "The {role} of {place}",
        "The {role}'s {noun}",
        "The Last {role}",
    ),
    "series": ("The {noun} {role}s", "{adjective} {noun}s", "{noun}s of {place}", "The {role}s"),
    "microdrama": (
        "My {adjective} {role}",
        "The Secret {role} of {place}",
        "Return of the {adjective} {role}",
        "The {role} Next Door",
        "Never Trust the {role}",
    ),
}

_SUBTITLES: Final = split(
    "The Return, Homecoming, The Reckoning, A New Beginning, The Long Way Back, Unfinished Business, "
    "The Lost Year, Aftermath, Second Chances, The Promise, Legacy, Full Circle",
    ", ",
)


@dataclass(frozen=True)
class Catalogue:
    """The items as columns, in the order in which they become available; -1: no second segment."""

    title: list[str]
    content_type: Codes
    segment: Codes
    second_segment: Codes
    seconds: Codes
    appeal: Weights
    available: Times


@dataclass(frozen=True)
class Titles:
    """A unique title per item, and the item whose story it continues (itself where it begins one)."""

    text: list[str]
    original: Codes


def plan_catalogue(count: int, begin: int, end: int, rng: Rng) -> Catalogue:
    """Items of every genre and type: some arrive between `begin` and `end`, the others were there before."""
    is_new = rng.random(count) < _NEW_ITEM_SHARE
    available = np.where(
        is_new, rng.integers(begin, end, count), begin - rng.integers(0, _BACK_CATALOGUE_SECONDS, count)
    )
    available = np.sort(available // 3_600 * 3_600)
    available[0] = min(available[0], begin)  # something can always be played
    share = np.array(list(GENRE_SHARES.values()))
    genre = rng.choice(len(GENRES), count, p=share / share.sum()).astype(np.int32)
    content_type = rng.choice(len(CONTENT_TYPES), count, p=_TYPE_SHARE).astype(np.int32)
    titles = name_titles(genre, content_type, rng)
    # A sequel keeps the style and the second genre of its original.
    style = rng.integers(0, STYLES, count)[titles.original]
    second_genre = ((genre + rng.integers(1, len(GENRES), count)) % len(GENRES))[titles.original]
    has_second = (rng.random(count) < _SECOND_GENRE_SHARE)[titles.original]
    length = np.clip(rng.lognormal(0.0, 0.25, count), 0.5, 2.0)
    rank = rng.permutation(count).astype(np.float64)
    return Catalogue(
        title=titles.text,
        content_type=content_type,
        segment=(genre * STYLES + style).astype(np.int32),
        second_segment=np.where(has_second, second_genre * STYLES + style, -1).astype(np.int32),
        seconds=(_TYPICAL_SECONDS[content_type] * length).astype(np.int32),
        appeal=(rank + 3.0) ** -_POPULARITY_EXPONENT,
        available=available,
    )


def fill_shelves(catalogue: Catalogue, begin: int, end: int) -> tuple[Shelves, ...]:
    """The catalogue four times, from the narrowest shelves (a segment and a type) to one of everything."""
    both = np.flatnonzero(catalogue.second_segment >= 0)
    item = np.concatenate((np.arange(len(catalogue.segment)), both)).astype(np.int32)
    appeal = np.concatenate((catalogue.appeal, 0.5 * catalogue.appeal[both]))
    segment = np.concatenate((catalogue.segment, catalogue.second_segment[both]))
    arrival = catalogue.available[item]
    shelves = _shelves_of(segment, catalogue.content_type[item])
    return tuple(Shelves.build(shelf, item, appeal, arrival, (begin, end)) for shelf in shelves)


def pick(
    shelves: tuple[Shelves, ...],
    level: Codes,
    segment: Codes,
    mood: Codes,
    moment: Times,
    rng: Rng,
) -> Codes:
    """An item for each play, from its level of shelves or from the next wider one that is not empty."""
    item = np.full(len(segment), -1, dtype=np.int32)
    for depth, (level_shelves, shelf) in enumerate(zip(shelves, _shelves_of(segment, mood), strict=True)):
        rows = np.flatnonzero((item < 0) & (level <= depth))
        roll = rng.random(len(rows))
        # The newest items have the highest rolls.
        roll = np.where(rng.random(len(rows)) < _PREMIERE_SHARE, 0.9 + 0.1 * roll, roll)
        item[rows] = level_shelves.draw(shelf[rows], moment[rows], roll[:, None])[:, 0]
    return item


def _shelves_of(segment: Codes, content_type: Codes) -> tuple[Codes, ...]:
    types = len(CONTENT_TYPES)
    by_genre = segment // STYLES * types + content_type
    return segment * types + content_type, by_genre, content_type, np.zeros_like(segment)


def name_titles(genre: Codes, content_type: Codes, rng: Rng) -> Titles:
    """Name every item by its genre and type; later items of a group continue the stories of earlier ones."""
    text = [""] * len(genre)
    original = np.arange(len(genre), dtype=np.int32)
    taken: set[str] = set()
    for genre_code, genre_name in enumerate(GENRES):
        for type_code, type_name in enumerate(CONTENT_TYPES):
            members = np.flatnonzero((genre == genre_code) & (content_type == type_code))
            stories = [title for title in _stories(genre_name, type_name, rng) if title not in taken]
            stories = stories[: max(1, round(_ORIGINAL_SHARE * len(members)))]
            taken.update(stories)
            for order, member in enumerate(members.tolist()):
                sequel, story = divmod(order, len(stories))
                text[member] = stories[story] + _installment(type_name, story, sequel)
                original[member] = members[story]
    return Titles(text, original)


def _stories(genre: str, content_type: str, rng: Rng) -> list[str]:
    """Every title that the patterns of a type make of the words of a genre, the patterns in turn."""
    by_pattern = [rng.permutation(list(_fill(pattern, genre))).tolist() for pattern in _PATTERNS[content_type]]
    return [title for title in chain.from_iterable(zip_longest(*by_pattern)) if title is not None]


def _fill(pattern: str, genre: str) -> Iterator[str]:
    fields = [name for _, name, _, _ in Formatter().parse(pattern) if name]
    choices = [_MOMENTS if name == "moment" else getattr(WORDS[genre], name) for name in fields]
    for words in product(*choices):
        yield pattern.format(**dict(zip(fields, words, strict=True)))


def _installment(content_type: str, story: int, sequel: int) -> str:
    if sequel == 0:
        return ""
    if content_type in {"tv", "series"}:
        return f": Season {sequel + 1}"
    if sequel <= len(_SUBTITLES):
        return f": {_SUBTITLES[(story + sequel) % len(_SUBTITLES)]}"
    return f": Part {sequel + 1}"
