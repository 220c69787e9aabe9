"""Jobs: run anything long in a process of its own, and find it again after a refresh."""
