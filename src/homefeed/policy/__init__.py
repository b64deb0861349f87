"""Policies: screens say what a request may see at all, arrangers order and thin what was ranked."""
