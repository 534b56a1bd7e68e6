"""Errors reach a log and a tracker, without personal data and without a flood of equal events.

`logs` makes Django's LOGGING. `sentry` sends errors to Sentry, and `trackers` calls a function of
your own with the same events. `storms` limits how many events of a kind pass in a minute; `masking`
removes mail addresses and passwords from texts. `variables` has the settings that they share.

For users: docs/monitoring.md.
"""
