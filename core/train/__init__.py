"""Training: a data set and settings in, a stream of events out."""
