"""Whatever ends for good lies here: looked at, grouped, replayed or discarded."""
