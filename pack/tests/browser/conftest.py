"""A browser for the status page; its test starts the site."""

pytest_plugins = ["dutiful.testing.browser"]
