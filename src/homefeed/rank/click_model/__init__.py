"""How likely a user is to choose a candidate, by a logistic regression."""
