"""What showing a candidate is worth: how likely each event is, times what it is worth."""
