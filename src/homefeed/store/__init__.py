"""The store: one database for items, users and the event log of every app."""

from homefeed.store.session import Store, Watermarks, open_store

__all__ = ["Store", "Watermarks", "open_store"]
