"""Filters and networks that nobody trains, for `skconv.ConvFeatures`."""
