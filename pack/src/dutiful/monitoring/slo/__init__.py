"""Service level objectives: 99 % of a queue's tasks start within its promise.

`burn` is the arithmetic of burn rates and their windows. `starts` remembers how many tasks started,
and how many of them late, for as long as the longest window. `history` fills it at the start.
"""
