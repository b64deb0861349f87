"""How likely a user is to choose an item, by features of the two: learned from a file of labelled pairs."""
