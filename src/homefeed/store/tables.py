"""The tables. Every one carries the app, first in every key: no query can reach another tenant's rows.

Times are microseconds since 1970 in UTC; attributes and contexts are JSON text.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

apps = Table(
    "apps",
    metadata,
    Column("app", String(63), nullable=False),
    Column("item_number", BigInteger, nullable=False),
    Column("item_revision", BigInteger, nullable=False),
    Column("user_number", BigInteger, nullable=False),
    Column("user_revision", BigInteger, nullable=False),
    Column("erasures", BigInteger, nullable=False),
    Column("event_seq", BigInteger, nullable=False),
    PrimaryKeyConstraint("app"),
    comment="A row per tenant: its counters. Updating it first in a transaction puts its writers in a row.",
)

items = Table(
    "items",
    metadata,
    Column("app", String(63), nullable=False),
    Column("number", Integer, nullable=False),
    Column("item_id", String(255), nullable=False),
    Column("attributes", Text, nullable=False),
    Column("created_at", BigInteger, nullable=True),
    Column("hidden", Boolean, nullable=False),
    Column("deleted", Boolean, nullable=False),
    Column("revision", BigInteger, nullable=False),
    PrimaryKeyConstraint("app", "number"),
    UniqueConstraint("app", "item_id"),
    Index(None, "app", "revision", "number"),
    comment="The catalogue. A deleted item stays as an empty row, so that every process learns of it.",
)

users = Table(
    "users",
    metadata,
    Column("app", String(63), nullable=False),
    Column("number", Integer, nullable=False),
    Column("user_id", String(255), nullable=False),
    Column("attributes", Text, nullable=False),
    Column("revision", BigInteger, nullable=False),
    PrimaryKeyConstraint("app", "number"),
    UniqueConstraint("app", "user_id"),
    Index(None, "app", "revision", "number"),
)

events = Table(
    "events",
    metadata,
    Column("app", String(63), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("key", LargeBinary(16), nullable=False),
    Column("user", Integer, nullable=False),
    Column("item", Integer, nullable=False),
    Column("event_type", String(63), nullable=False),
    Column("value", Double, nullable=True),
    Column("time", BigInteger, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("event_id", String(255), nullable=True),
    Column("request_id", String(255), nullable=True),
    Column("context", Text, nullable=True),
    PrimaryKeyConstraint("app", "seq"),
    UniqueConstraint("app", "key"),
    Index(None, "app", "user", "time"),
    sqlite_with_rowid=False,
    comment="The event log, in the order it was written; `key` makes it idempotent.",
)

impressions = Table(
    "impressions",
    metadata,
    Column("app", String(63), nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("request_id", String(255), nullable=False),
    Column("feed", String(63), nullable=False),
    Column("start", Integer, nullable=False),
    Column("user", Integer, nullable=True),
    Column("items", LargeBinary, nullable=False),
    Column("scores", LargeBinary, nullable=False),
    Column("propensities", LargeBinary, nullable=False),
    Column("feature_names", Text, nullable=False),
    Column("features", LargeBinary, nullable=False),
    Column("models", Text, nullable=False),
    PrimaryKeyConstraint("app", "time", "request_id", "feed", "start"),
    Index(None, "app", "request_id"),
    Index(None, "app", "user"),
    comment="What each request showed; arrays are little-endian, 32 bits a number.",
)

reports = Table(
    "reports",
    metadata,
    Column("app", String(63), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("report", Text, nullable=False),
    PrimaryKeyConstraint("app", "created_at"),
    comment="The data report of every import.",
)
