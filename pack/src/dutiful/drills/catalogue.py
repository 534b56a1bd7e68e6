"""The drills, in the order in which `make drills` runs them."""

from typing import Final

from dutiful.drills import (
    blip,
    broker,
    crash,
    crowd,
    delay,
    deploy,
    duplicate,
    failover,
    freeze,
    full,
    lag,
    long,
    outage,
    poison,
    restore,
    rollback,
)
from dutiful.drills.connections import drill as connections
from dutiful.drills.drill import Drill
from dutiful.drills.replay import drill as replay
from dutiful.drills.silence import drill as silence
from dutiful.drills.storm import drill as storm
from dutiful.drills.unknown import drill as unknown

DRILLS: Final[dict[str, Drill]] = {
    module.DRILL.name: module.DRILL
    for module in (
        crash,
        freeze,
        blip,
        long,
        poison,
        deploy,
        broker,
        unknown,
        delay,
        crowd,
        outage,
        full,
        restore,
        rollback,
        duplicate,
        replay,
        silence,
        storm,
        connections,
        lag,
        failover,
    )
}
