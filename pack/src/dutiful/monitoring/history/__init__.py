"""History: each minute a few rows in the database, by whoever is there; never in the broker.

`writer.start()` runs it in a daemon thread of beat, and of the monitor. Several may run: the
database lets one of them write each minute. So it goes on when every worker, or beat, or the
monitor is dead.
"""
