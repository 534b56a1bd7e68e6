"""Worker profiles: which one serves a queue, in which order, and what is refused."""

import pytest

from dutiful.catalogue.defaults import COMPUTE, IO, PROFILES
from dutiful.catalogue.profiles import MB, ProfileError, in_order, named, serving
from dutiful.conf.queues import names

STANDARD = PROFILES["standard"]


def test_the_profiles_are_the_designs() -> None:
    assert (IO.pool, IO.slots) == ("threads", 100)
    assert (COMPUTE.pool, COMPUTE.slots, COMPUTE.memory) == ("prefork", 4, 2048 * MB)
    assert [(s.queue, s.share) for s in IO.queues] == [
        ("urgent_fast", 1.0),
        ("average_fast", 0.8),
        ("average_slow", 0.3),
        ("relaxed_slow", 0.1),
    ]
    assert COMPUTE.queue_names[-1] == "relaxed_slow_compute"


@pytest.mark.parametrize("preset", PROFILES)
def test_every_queue_is_served(preset: str) -> None:
    assert {queue for profile in PROFILES[preset] for queue in profile.queue_names} == set(names())


def test_small_fits_a_512_mb_dyno() -> None:
    assert all(profile.memory <= 450 * MB for profile in PROFILES["small"])


@pytest.mark.parametrize(
    ("queues", "profile"),
    [
        (["urgent_fast"], "io"),
        (["average_slow"], "io"),
        (["average_slow_compute", "average_slow"], "compute"),
    ],
)
def test_the_first_profile_that_serves_all(queues: list[str], profile: str) -> None:
    assert serving(queues, STANDARD).name == profile


def test_two_shapes_on_one_worker_are_refused_with_the_reason() -> None:
    with pytest.raises(ProfileError, match=r"Start one worker for each.*io .threads."):
        serving(["urgent_fast", "average_slow_compute"], STANDARD)


def test_unknown_queue_and_profile_name_the_choices() -> None:
    with pytest.raises(ProfileError, match=r"'fast' is not in the catalogue.*urgent_fast"):
        serving(["fast"], STANDARD)
    with pytest.raises(ProfileError, match=r"no worker profile 'gpu'; choose from io, compute"):
        named("gpu", STANDARD)


def test_queues_are_served_in_the_profiles_order() -> None:
    assert in_order(IO, ["relaxed_slow", "urgent_fast", "relaxed_slow", "average_slow"]) == [
        "urgent_fast",
        "average_slow",
        "relaxed_slow",
    ]


def test_connections_follow_from_the_shape() -> None:
    assert IO.database_connections == 8 + 1  # a pool that 100 threads share, and an isolated run
    assert COMPUTE.database_connections == 4 + 2 + 1  # a child each, the main, an isolated run
    assert sum(p.database_connections for p in PROFILES["small"]) == 5 + 4
