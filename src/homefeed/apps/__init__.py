"""The ready-made apps: each a recipe, its contract's routes, and a generator of sample data."""
