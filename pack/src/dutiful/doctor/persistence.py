"""Whether queues survive a restart of the server, and whether its writes to disk succeed."""

from collections.abc import Iterator

from dutiful.doctor.finding import Finding, Kind
from dutiful.doctor.server import Server
from dutiful.worker.deployment.model import Deployment

NOTHING = Kind(
    "doctor.E003",
    "the server keeps nothing on disk",
    "When it restarts, every queue, delayed task and dead letter is gone.",
    "CONFIG SET appendonly yes; and `appendonly yes` in redis.conf."
    " A managed server: take a plan with persistence",
)
SNAPSHOTS = Kind(
    "doctor.W002",
    "the server keeps snapshots only",
    "A crash loses all tasks since the last one and runs again what was acknowledged since.",
    "CONFIG SET appendonly yes; and `appendonly yes` in redis.conf",
)
AOF_WRITE = Kind(
    "doctor.E004",
    "the server cannot write its append-only file",
    "It refuses every publish (MISCONF) until it can; a restart now loses what it took since.",
    "df -h on the server: free space in its data directory, then look at its log",
)
AOF_REWRITE = Kind(
    "doctor.W003",
    "the server's last rewrite of its append-only file failed",
    "The file grows until the disk is full; then every publish is refused.",
    "df -h on the server: free space, then BGREWRITEAOF",
)
SNAPSHOT = Kind(
    "doctor.E005",
    "the server's last snapshot failed",
    "It refuses every publish (MISCONF) while snapshots are on; replicas cannot be filled.",
    "df -h and free -m on the server: free space or memory, then BGSAVE",
)
FSYNC = Kind(
    "doctor.W004",
    "the server lets its kernel decide when to write",
    "A power cut or a crash of the machine loses up to half a minute of tasks, not one second.",
    "CONFIG SET appendfsync everysec; and the same in redis.conf",
)


def examine(server: Server, deployment: Deployment) -> Iterator[Finding]:
    aof = server.number("aof_enabled")
    if aof == 0:
        save = server.setting("save")
        if save == "":
            yield NOTHING.found("appendonly is no, save is empty")
        elif save is not None:
            yield SNAPSHOTS.found(f"appendonly is no, save is {save!r}")
    elif aof:
        if server.setting("appendfsync") == "no":
            yield FSYNC.found("appendfsync is no")
        if server.info.get("aof_last_write_status") == "err":
            yield AOF_WRITE.found("aof_last_write_status is err")
        if server.info.get("aof_last_bgrewrite_status") == "err":
            yield AOF_REWRITE.found("aof_last_bgrewrite_status is err")
    if server.info.get("rdb_last_bgsave_status") == "err":
        yield SNAPSHOT.found("rdb_last_bgsave_status is err")
