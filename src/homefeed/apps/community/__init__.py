"""community: a feed of neighbours' posts, events, services and offers, by interest, quality and block."""
