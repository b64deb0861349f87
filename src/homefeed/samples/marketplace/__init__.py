"""Sample data for the marketplace app."""
