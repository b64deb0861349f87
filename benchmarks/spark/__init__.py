"""One machine's trainers and those on Spark, side by side."""
