"""Sample data for the live app."""
