"""Marketplace: a feed of local listings by seven signals."""
