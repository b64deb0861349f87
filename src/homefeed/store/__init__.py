"""The store: one database for items, users and the event log of every app."""

from homefeed.store.session import Counters, Store, open_store

__all__ = ["Counters", "Store", "open_store"]
