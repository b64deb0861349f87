"""Sample data of the shop app."""
