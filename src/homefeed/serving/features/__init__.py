"""The feature store: what replicas share of users and items, in memory or in Redis."""
