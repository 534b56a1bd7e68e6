"""`-p tests.others.plugin`: kombu's Redis transport is ours, by alias and by the module's names.

With OTHERS_STOCK=1 nothing is changed: what fails then is no word about ours.
"""

import os

from kombu.transport import redis as stock

from dutiful.transport.redis import channel, poller, qos, transport
from dutiful.transport.redis.owner import owners

if not os.environ.get("OTHERS_STOCK"):
    transport.register()
    vars(stock).update(
        Transport=transport.Transport,
        SentinelTransport=transport.SentinelTransport,
        Channel=channel.Channel,
        SentinelChannel=channel.SentinelChannel,
        MultiChannelPoller=poller.Poller,
        QoS=qos.QoS,
    )


def pytest_unconfigure() -> None:
    for owner in owners():
        owner.close()
