"""Drill `storm`: tens of thousands of tasks fail at the same time.

`drill` is the scenario. `failure` is the body of the failing task; `ours` and `stock` declare it.
"""
