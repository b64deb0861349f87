"""LambdaMART: boosted trees that learn which candidates users choose rather than others."""
