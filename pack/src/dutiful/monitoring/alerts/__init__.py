"""Alerts: rules that judge what was seen, the state of what fires, and the ways to tell of it."""
