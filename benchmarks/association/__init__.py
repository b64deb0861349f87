"""Rules of what is bought together: how good they are, and what finding them costs."""
