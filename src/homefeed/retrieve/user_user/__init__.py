"""User-user collaborative filtering: what those who chose alike chose beside."""

from homefeed.retrieve.user_user.retriever import UserUser

__all__ = ["UserUser"]
