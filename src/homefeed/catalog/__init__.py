"""The catalogue in memory: items as columns, counters, vocabularies, live updates."""

from homefeed.catalog.counters import Counters
from homefeed.catalog.exposures import Exposures, ExposuresModel
from homefeed.catalog.partitions import Partitions
from homefeed.catalog.resources import Resources
from homefeed.catalog.signals import SignalsModel
from homefeed.catalog.snapshot import CatalogSnapshot
from homefeed.catalog.strength import EventWeights, strengths
from homefeed.catalog.view import CatalogView

__all__ = [
    "CatalogSnapshot",
    "CatalogView",
    "Counters",
    "EventWeights",
    "Exposures",
    "ExposuresModel",
    "Partitions",
    "Resources",
    "SignalsModel",
    "strengths",
]
