"""Compares what this deployment counts on with what its broker is. One file a subject.

A subject is a function of (server, deployment) that yields findings; `examine.py` lists them all.
Nothing here writes to the broker.
"""
