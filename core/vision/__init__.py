"""Vision: pixels in, models, augmentations and activations out."""
