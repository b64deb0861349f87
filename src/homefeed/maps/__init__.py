"""An app's items and users on a map, as one HTML file that needs no network."""
