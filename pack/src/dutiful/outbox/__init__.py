"""Enqueues that arrive: what is called in a transaction, or while the broker is away, is a row.

Installed, it stands in the door of `delay()` (dutiful/publishing/hooks.py). See docs/outbox.md.
"""
