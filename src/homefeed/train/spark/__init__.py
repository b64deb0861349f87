"""Training on Apache Spark: the same models, of more events than one process can hold."""
