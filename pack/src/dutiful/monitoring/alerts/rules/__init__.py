"""The rules of the alerts: one function for each id of the catalogue, by what it is about.

A rule takes what was collected and returns a `Finding` for each of its subjects, good or bad. An
empty list means that there are no subjects, so what fired is over. None means that nothing can be
known now, so everything stays as it is. `evaluation` runs all of them.
"""
