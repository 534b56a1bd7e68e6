"""Drill `unknown`: a new release sends a task that the old workers do not know.

`drill` is the scenario. `ours` and `stock` declare the new task; workers load them with `-I`.
"""
