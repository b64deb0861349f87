"""Retrievers: each proposes candidates in its own way. Models live in `model.py`, trainers in `trainer.py`."""
