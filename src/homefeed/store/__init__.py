"""The store: one database for items, users and the event log of every app."""

from homefeed.store.session import BRIEF, Store, Watermarks, open_store

__all__ = ["BRIEF", "Store", "Watermarks", "open_store"]
