"""Which starts of workers count as restarts."""

from dutiful.monitoring.fleet.store import split_starts


def starts(*releases: str, profile: str = "io") -> list[bytes]:
    return [f"{profile}|w{at}@here|{at}|{it}".encode() for at, it in enumerate(releases)]


def test_a_deploy_is_no_restart_and_a_crash_after_it_is() -> None:
    assert split_starts(starts("v1", "v2", "v3")) == [("io", "w2@here")]
    assert len(split_starts(starts("v1", "v2", "v2", "v2"))) == 3


def test_without_a_release_all_count_and_profiles_are_their_own() -> None:
    assert len(split_starts(starts("", "", ""))) == 3
    both = starts("v1", "v1") + starts("v2", profile="compute")
    assert len(split_starts(both)) == 3
