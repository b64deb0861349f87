"""Sample data of the streaming app."""
