"""From a folder of files to a recipe that reads and serves them: what each file and column is, and why."""

from homefeed.propose.proposal import Proposal, propose
from homefeed.propose.reading import Sample, read_samples

__all__ = ["Proposal", "Sample", "propose", "read_samples"]
