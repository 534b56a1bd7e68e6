"""History: a few rows of the database for each minute; the broker keeps none of it.

`writer` runs in a daemon thread of beat and of the monitor. Several may run at once: the database
lets one of them write each minute, so history goes on without workers, beat or the monitor.
`deltas` computes what happened between two readings of the counters, `models` has the rows,
`purge` turns minutes into hours and deletes what is old.
"""
