"""live: live streams, near you and for you."""
