"""Sentry: `setup` configures the SDK and removes personal data from events.

`tasks` reports failures of tasks, `storm` limits the number of events, and `source` adds the lines
around each frame to the events that are sent.
"""
