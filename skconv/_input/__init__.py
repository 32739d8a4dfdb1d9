"""Input of every estimator: checks of parameters and of X, shapes of samples, arrays in storage, memory."""
