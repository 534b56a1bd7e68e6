"""Every limit of the transport, with its unit: `broker_transport_options` of the same names."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

MB: Final = 1024 * 1024


@dataclass(frozen=True)
class Options:
    """What a deployment may change. Raises ValueError for what cannot work."""

    lease_seconds: float = 15
    """A worker that has not refreshed for this long is dead: its messages go to others."""
    poll_seconds: float = 1
    """An idle worker looks this often for messages of stock producers, which notify nobody."""
    claim_max_bytes: int = MB
    """One claim hands out at most this much, and at least one message."""
    message_max_bytes: int = 16 * MB
    """A larger message is not decoded but goes to the dead letters."""
    suspect_after_crashes: int = 2
    """After this many crashes a message runs in a child of its own, one of a worker at a time."""
    suspect_wait_seconds: float = 60
    """A suspect in line is handed out when a worker has no other one; after this long it is offered
    again, should no worker have taken it."""
    starved_seconds: float = 1
    """A queue that was passed over for this long gets one slot, whatever is before it."""
    dead_letters_alert_bytes: int = 64 * MB
    """Dead letters that take more memory than this are an alert."""

    def __post_init__(self) -> None:
        for field in fields(self):
            if getattr(self, field.name) < (0 if field.name == "suspect_after_crashes" else 1e-3):
                raise ValueError(
                    f"broker_transport_options[{field.name!r}] is {getattr(self, field.name)!r};"
                    " it must be above zero."
                )

    @classmethod
    def of(cls, transport_options: Mapping[str, Any]) -> "Options":
        """Those of a connection's transport options that are ours."""
        ours = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in transport_options.items() if name in ours})

    @property
    def refresh_seconds(self) -> float:
        """Between two refreshes of a lease: four may fail before it runs out."""
        return self.lease_seconds / 5
