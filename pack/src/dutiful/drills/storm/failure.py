"""The body of the failing task of drill `storm`. Imports nothing else of the pack."""


class GatewayUnavailable(ConnectionError):
    """The gateway does not answer."""


def charge(number: int, sent: float) -> None:
    """Raises GatewayUnavailable at once."""
    raise GatewayUnavailable(f"the gateway does not answer for order {number}")
