"""Needs a container engine. CI_TIERS with `containers` in it makes a missing one a failure."""
