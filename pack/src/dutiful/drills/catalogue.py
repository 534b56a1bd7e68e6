"""The drills, in the order in which `make drills` plays them."""

from typing import Final

from dutiful.drills import (
    blip,
    broker,
    connections,
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
    replay,
    restore,
    rollback,
    silence,
    storm,
    unknown,
)
from dutiful.drills.scenario import Drill

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
