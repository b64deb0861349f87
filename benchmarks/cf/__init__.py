"""Collaborative models: how good they are, and what fitting them costs."""
