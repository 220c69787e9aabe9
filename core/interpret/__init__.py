"""Reading a model: what it says about every picture, which labels look wrong, and why."""
