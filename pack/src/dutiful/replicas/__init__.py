"""Reads from replicas that are never too old: a replica serves a task once it has what was there
when the task was enqueued. Learned from GitLab's `data_consistency`. See docs/database.md.
"""
