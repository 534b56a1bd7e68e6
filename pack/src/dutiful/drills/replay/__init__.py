"""Drill `replay`: tasks fail until their dependency is back, then dead letters are replayed.

`drill` is the scenario. `dependency` is the body of the task and the switch of its dependency;
`ours` and `stock` declare the task.
"""
