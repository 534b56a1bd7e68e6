"""The doctor on real servers, each ill in one way. Valkey, and Redis where it is installed."""

import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
import redis

from dutiful.dev.embedded import free_port
from dutiful.doctor import version
from dutiful.testing.processes import wait_for
from tests.support.doctor import Patient, findings, programs

StartPatient = Callable[..., Patient]


@pytest.fixture(params=programs(), ids=lambda program: Path(program).name)
def patient(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StartPatient]:
    """`patient(appendonly="no")`: a server with that flag, which ends with the test."""
    with ExitStack() as stack:

        def start(**flags: str) -> Patient:
            folder = tmp_path / f"server{len(list(tmp_path.iterdir()))}"
            server = Patient(folder, request.param, **flags)
            stack.enter_context(server)
            return server

        yield start


def test_nothing_is_wrong_with_a_healthy_server(patient: StartPatient) -> None:
    assert findings(patient().client()) == {}


def test_e001_a_server_that_is_gone(patient: StartPatient) -> None:
    server = patient()
    server.stop()
    found = findings(server.client())
    assert set(found) == {"E001"}
    assert "Connection refused" in found["E001"].detail


def test_e001_a_server_that_hangs(patient: StartPatient) -> None:
    server = patient()
    assert server.process is not None
    os.kill(server.process.pid, signal.SIGSTOP)
    try:
        assert set(findings(server.client(socket_timeout=0.2))) == {"E001"}
    finally:
        os.kill(server.process.pid, signal.SIGCONT)


def test_e001_the_wrong_password_is_not_printed(patient: StartPatient) -> None:
    server = patient()
    with server.client() as client:
        client.config_set("requirepass", "right")
    found = findings(server.client(password="wrong-secret"))
    assert set(found) == {"E001"}
    assert "wrong-secret" not in found["E001"].detail


@pytest.mark.parametrize("policy", ["allkeys-lru", "allkeys-random"])
def test_e002_queues_may_be_evicted(patient: StartPatient, policy: str) -> None:
    found = findings(patient(maxmemory_policy=policy).client())
    assert set(found) == {"E002"}
    assert policy in found["E002"].detail


def test_w001_leases_may_be_evicted(patient: StartPatient) -> None:
    assert set(findings(patient(maxmemory_policy="volatile-ttl").client())) == {"W001"}


def test_e003_nothing_on_disk(patient: StartPatient) -> None:
    assert set(findings(patient(appendonly="no").client())) == {"E003"}


def test_w002_snapshots_only(patient: StartPatient) -> None:
    found = findings(patient(appendonly="no", save="3600 1").client())
    assert set(found) == {"W002"}
    assert "3600 1" in found["W002"].detail


def test_e004_the_append_only_file_cannot_be_written(patient: StartPatient) -> None:
    server = patient(appendonly="no", appenddirname="log")
    # What a full disk says: the file that the server writes next is /dev/full.
    (server.folder / "log").mkdir()
    (server.folder / "log" / "temp-appendonly.aof.incr").symlink_to("/dev/full")
    with server.client() as client:
        client.config_set("appendonly", "yes")

        def refused() -> bool:
            try:
                client.set("task", "x")
            except redis.ResponseError as error:
                return "MISCONF" in str(error)
            return False

        wait_for("the server to refuse writes, as the risk says", refused)
    assert "E004" in findings(server.client())


def test_w003_the_append_only_file_cannot_be_rewritten(patient: StartPatient) -> None:
    server = patient()
    shutil.rmtree(server.folder)
    with server.client() as client:
        with suppress(redis.ResponseError):  # Redis says it at once, Valkey later; or so
            client.bgrewriteaof()
        wait_for("the rewrite to fail", lambda: "W003" in findings(server.client()))


def test_e005_a_snapshot_failed(patient: StartPatient) -> None:
    server = patient(appendonly="no", save="3600 1")
    shutil.rmtree(server.folder)
    with server.client() as client:
        client.bgsave()
        wait_for("the snapshot to fail", lambda: "E005" in findings(server.client()))
        with pytest.raises(redis.ResponseError, match="MISCONF"):
            client.set("task", "x")


def test_w004_the_kernel_decides_when_to_write(patient: StartPatient) -> None:
    assert set(findings(patient(appendfsync="no").client())) == {"W004"}


def test_w005_no_memory_limit(patient: StartPatient) -> None:
    assert set(findings(patient(maxmemory="0").client())) == {"W005"}


@pytest.mark.parametrize(("share", "wrong"), [(0.7, None), (0.87, "W006"), (0.98, "E006")])
def test_w006_e006_little_memory_left(
    patient: StartPatient, share: float, wrong: str | None
) -> None:
    server = patient()
    with server.client() as client:
        client.lpush("urgent_fast", *("x" * 1000 for _ in range(20_000)))
        client.config_set("maxmemory", int(client.info("memory")["used_memory"] / share))
    assert set(findings(server.client())) == ({wrong} if wrong else set())


def test_e007_an_old_server(patient: StartPatient, monkeypatch: pytest.MonkeyPatch) -> None:
    server = patient()
    # No server of before 7 runs here; so the doctor asks for one that is not out yet.
    monkeypatch.setattr(version, "OLDEST", 99)
    assert set(findings(server.client())) == {"E007"}


def test_e008_a_cluster(patient: StartPatient) -> None:
    server = patient(cluster_enabled="yes", cluster_port=str(free_port()))
    assert set(findings(server.client())) == {"E008"}


def test_e009_a_replica(patient: StartPatient) -> None:
    primary = patient()
    replica = patient(replicaof=f"127.0.0.1|{primary.port}")
    found = findings(replica.client())
    assert set(found) == {"E009"}
    assert f"127.0.0.1:{primary.port}" in found["E009"].detail


def test_e010_too_few_replicas(patient: StartPatient) -> None:
    server = patient(min_replicas_to_write="1")
    with server.client() as client, pytest.raises(redis.ResponseError, match="NOREPLICAS"):
        client.set("task", "x")
    assert set(findings(server.client())) == {"E010"}


def test_w008_nobody_waits_for_the_replica(patient: StartPatient) -> None:
    primary = patient(repl_diskless_sync_delay="0")
    patient(replicaof=f"127.0.0.1|{primary.port}")
    with primary.client() as client:

        def in_step() -> bool:
            return bool(client.info("replication").get("slave0", {}).get("state") == "online")

        wait_for("the replica", in_step)
        assert set(findings(primary.client())) == {"W008"}
        client.config_set("min-replicas-to-write", 1)
    assert set(findings(primary.client())) == set()


def test_w009_a_replica_that_is_not_in_step(patient: StartPatient) -> None:
    # The primary waits for an hour before it fills the replica.
    primary = patient(repl_diskless_sync="yes", repl_diskless_sync_delay="3600")
    patient(replicaof=f"127.0.0.1|{primary.port}")
    wait_for("the replica", lambda: "W009" in findings(primary.client()))
    assert set(findings(primary.client())) == {"W008", "W009"}


def test_w007_quiet_connections_are_closed(patient: StartPatient) -> None:
    found = findings(patient(timeout="300").client())
    assert set(found) == {"W007"}
    assert "300 s" in found["W007"].detail


@pytest.mark.parametrize(
    ("by", "said"), [(30, "30.0 s ahead of"), (-30, "30.0 s behind"), (1, None)]
)
def test_w010_the_clocks_differ(patient: StartPatient, by: float, said: str | None) -> None:
    found = findings(patient().client(), clock=lambda: time.time() + by)
    assert set(found) == ({"W010"} if said else set())
    assert not said or said in found["W010"].detail


def test_u001_config_is_not_this_users(patient: StartPatient) -> None:
    server = patient(maxmemory_policy="allkeys-lru")
    with server.client() as client:
        client.execute_command("ACL SETUSER app on >secret ~* &* +@all -config")
    found = findings(server.client(username="app", password="secret"))
    # What INFO says is known all the same.
    assert set(found) == {"E002", "U001"}
    assert "appendfsync, min-replicas-to-write, timeout" in found["U001"].detail
    assert "maxmemory" not in found["U001"].detail


def test_u001_config_is_renamed_away(patient: StartPatient) -> None:
    server = patient(rename_command="CONFIG|", appendonly="no", save="3600 1")
    found = findings(server.client())
    # Not "nothing on disk": the doctor cannot know.
    assert set(found) == {"U001"}
    assert "save" in found["U001"].detail


def test_u002_info_is_refused(patient: StartPatient) -> None:
    server = patient()
    with server.client() as client:
        client.execute_command("ACL SETUSER app on >secret ~* &* +@all -info -config -time")
    found = findings(server.client(username="app", password="secret"))
    assert set(found) == {"U001", "U002"}
    assert "clock" in found["U001"].detail
