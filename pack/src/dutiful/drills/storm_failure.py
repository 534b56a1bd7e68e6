"""What fails in drill `storm`, for all three contenders. Imports nothing of the project."""


class GatewayAway(ConnectionError):
    """The other side does not answer."""


def charge(number: int, sent: float) -> None:
    """A bug, or a dependency that is gone: it fails at once, each time."""
    raise GatewayAway(f"the gateway does not answer for order {number}")
