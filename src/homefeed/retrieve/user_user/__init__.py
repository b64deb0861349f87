"""User-user collaborative filtering: what users with similar choices chose, too."""

from homefeed.retrieve.user_user.retriever import UserUser

__all__ = ["UserUser"]
