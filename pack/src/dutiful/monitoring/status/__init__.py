"""`/status/`: one look answers whether every promise is kept, and what to do where one is not.

`seen` asks (broker, database, the monitor's copy; each may fail), one file a section turns it into
words, `page` puts them together, `access` says who may read what.
"""
