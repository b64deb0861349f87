"""Sample data of the community app."""
