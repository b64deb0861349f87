"""A package for each subject; run from the root of the repository: `python -m benchmarks.cf.quality`."""
