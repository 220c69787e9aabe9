"""Ready-made sample sets: generated bears and published collections."""
