"""The log as training data: the columns that trainers, evaluation and counters take."""
