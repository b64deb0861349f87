"""Search of a shop: how well graded queries are answered."""
