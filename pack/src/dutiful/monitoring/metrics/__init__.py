"""Metrics for Prometheus.

`views` serves `/metrics` on web: the whole fleet's figures, read from the broker and the database
(`fleet`), so one scrape of any web process has all of them. `worker` serves one worker's own
figures on a port of its own, where METRICS_LISTEN says so. `families` writes both, and `rules`
makes Prometheus' alert rules from the catalogue.
"""
