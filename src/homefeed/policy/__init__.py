"""Policies: filters say what a request may see at all, rerankers order and thin what was ranked."""
