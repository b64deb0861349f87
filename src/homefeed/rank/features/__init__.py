"""Feature extractors: numbers that describe candidates, beside the scores of the retrievers."""
