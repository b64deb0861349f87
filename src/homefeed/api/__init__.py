"""The generic REST API of every app, and what all routes share."""
