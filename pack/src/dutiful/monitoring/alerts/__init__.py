"""Alerts: rules that judge what was seen, the book of what fires, and the ways to tell of it."""
