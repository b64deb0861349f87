"""Benchmarks of an app's jobs: their time and memory, and whether they survive being killed."""
