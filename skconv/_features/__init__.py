"""Filters and untrained networks of `skconv.ConvFeatures`."""
