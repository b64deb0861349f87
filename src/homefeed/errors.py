"""The errors that Homefeed raises on purpose: each text states what is wrong and what to do."""


class HomefeedError(Exception):
    """Base of all expected errors; its text is shown to people as it is."""


class RecipeError(HomefeedError):
    """A recipe is not valid: the text names the file, the key and what was expected."""


class SettingsError(HomefeedError):
    """The settings name something that does not exist or contradict one another."""


class DataError(HomefeedError):
    """A data file is missing, unreadable or lacks a column: the text names the file and the column."""


class ArtifactError(HomefeedError):
    """A stored model is damaged or does not fit this version."""


class NotFoundError(HomefeedError):
    """What the caller named (an app, a feed, an item, a user) does not exist."""


class InvalidError(HomefeedError):
    """What the caller sent cannot be used: the text names the field and what was expected."""


class MalformedError(InvalidError):
    """What the caller sent does not have the required form, such as an id with a blank in it."""


class ConflictError(HomefeedError):
    """What the caller sent contradicts what is stored: the text names both."""


class OverloadedError(HomefeedError):
    """More work arrived than can be handled; trying again later will help."""


class NotInstalledError(HomefeedError):
    """A library that an extra brings is not there: the text says how to install it."""


class UnavailableError(HomefeedError):
    """The store is in trouble, such as locked or full; trying again later will help."""


class LeaseHeldError(HomefeedError):
    """Another process runs the jobs of that app: the text says who; trying again later will help."""


class LeaseLostError(HomefeedError):
    """A job's lease ended before its work did: what it makes is not published."""


class UnauthorisedError(HomefeedError):
    """Nobody is known by the key or token that the caller sent: the text says why."""
