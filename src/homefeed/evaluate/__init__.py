"""Evaluation: honest numbers on held-out time, with intervals, against popularity."""
