"""What every estimator does to its parameters and to X: checks, shapes, rows in storage, memory."""
