"""Metrics for Prometheus: the fleet's, served by web; a worker's own, served by itself if so set.

The fleet's come from the broker and the database, so they are right across processes and hosts,
and one scrape of any web process has them all. A worker's own add what only it knows.
"""
