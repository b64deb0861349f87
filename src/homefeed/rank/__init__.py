"""Rankers: one score for each candidate from its features."""
