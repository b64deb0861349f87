"""Trials that hurt running servers and count what was lost: a module a trial, one JSON line each."""
