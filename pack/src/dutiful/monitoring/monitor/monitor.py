"""The monitor's loop: collect, evaluate, send what is new, save copies.

It goes on without workers, beat, broker and database: what it cannot reach, it reports. Every pass
has a time limit, and every channel a thread of its own.
"""

import logging
import threading
import time
from collections.abc import Sequence
from functools import partial
from typing import Final

from dutiful.monitoring.alerts import channels
from dutiful.monitoring.alerts.alert import Alert
from dutiful.monitoring.alerts.channel import Channel
from dutiful.monitoring.alerts.copies import Copies, newest
from dutiful.monitoring.alerts.rules.evaluation import evaluate
from dutiful.monitoring.alerts.state import AlertState
from dutiful.monitoring.deadline import DeadlineExceeded, DeadlineExecutor
from dutiful.monitoring.monitor.collect import Collector
from dutiful.monitoring.monitor.lease import Lead
from dutiful.monitoring.monitor.switch import Switch

BUDGET: Final = 3.0
"""Seconds for loading or saving each copy of the alerts."""
CLOSE_SECONDS: Final = 5.0
"""Seconds that each channel has at the end for what it has not sent yet."""
HEARTBEAT_RULES: Final = ("broker-down", "database-down", "beat-silent", "heartbeat-late")
"""While one of these fires, not all heartbeats arrive: the dead-man's switch alarms."""

logger = logging.getLogger(__name__)


class Monitor:
    """`run()` returns when `stop` is set. `kept` are the places of the copies."""

    def __init__(
        self, lead: Lead, channels: Sequence[Channel], switch: Switch, kept: Sequence[Copies]
    ) -> None:
        self.state = AlertState()
        self._collector = Collector()
        self._lead, self._channels, self._switch = lead, channels, switch
        self._copies = {DeadlineExecutor(type(each).__name__): each for each in kept}
        self._behind: set[DeadlineExecutor] = set(self._copies)
        self._led = False
        self._proven = False
        """Whether a heartbeat has ever arrived through each queue; until then nothing is pinged."""

    def run(self, stop: threading.Event, seconds: float) -> None:
        """Starts a pass every `seconds`."""
        self._switch.start()
        while not stop.is_set():
            began = time.monotonic()
            try:
                self.tick()
            except Exception:  # the next pass may work
                logger.exception("a pass of the monitor failed")
            stop.wait(max(0.2, seconds - (time.monotonic() - began)))
        self._lead.release()
        for channel in self._channels:
            channel.close(CLOSE_SECONDS)

    def tick(self) -> None:
        """One pass: renew the lease, collect, evaluate, send, save copies."""
        leads = self._lead.renew()
        if leads and not self._led:
            self.state.take_over(self._load())
        self._led = leads
        blind = self._evaluate()
        if not leads:
            self.state.stand_by()
            return
        notice = self.state.notice(time.time())
        if notice:
            self._behind = set(self._copies)
            for channel in self._channels:
                channel.enqueue(channels.frozen(notice))
        wrong = [
            alert.text for alert in self.state.firing.values() if alert.rule in HEARTBEAT_RULES
        ]
        if blind or wrong or self._proven:
            self._switch.report([blind] if blind else wrong)
        self._save()

    def _evaluate(self) -> str:
        """Updates the state. Returns why nothing could be collected, or ""."""
        troubles = {channel.name: channel.trouble for channel in self._channels}
        troubles["the dead-man's switch"] = self._switch.trouble
        try:
            collected = self._collector.collect(
                {name: why for name, why in troubles.items() if why}
            )
        except DeadlineExceeded as error:
            logger.error("the monitor cannot collect anything: %s", error)
            return f"the monitor cannot collect anything: {error}"
        self.state.update(evaluate(collected), collected.now)
        beat = collected.snapshot.beat
        if not beat.unreachable:
            beats = [entry for entry in beat.entries if entry.queue and not entry.paused]
            self._proven = all(entry.ran_at for entry in beats)
        return ""

    def _load(self) -> list[Alert]:
        found = []
        for executor, each in self._copies.items():
            try:
                found.append(executor.run(each.load, BUDGET))
            except Exception as error:  # noqa: BLE001  # then what fires is reported once more
                logger.info(
                    "%s: alerts of the previous monitor cannot be loaded: %s", executor.name, error
                )
        return newest(*found)

    def _save(self) -> None:
        firing = list(self.state.firing.values())
        for executor in list(self._behind):
            try:
                executor.run(partial(self._copies[executor].save, time.time(), firing), BUDGET)
            except Exception as error:  # noqa: BLE001  # tried again at the next pass
                logger.info("%s: alerts cannot be saved: %s", executor.name, error)
            else:
                self._behind.discard(executor)
