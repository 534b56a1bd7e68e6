"""Drift: tasks whose measured runs no longer fit the class that they declare.

`drift` compares the runs of the history with the catalogue and finds the class that fits. `record`
writes the figures of production to a file, by which CI can evaluate the code.
"""
