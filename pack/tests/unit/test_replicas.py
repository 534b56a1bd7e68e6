"""The configuration of replicas: what is refused at the start, and no trace without replicas."""

import json

import pytest

from dutiful import env
from dutiful.database import connections
from dutiful.publishing import hooks
from dutiful.publishing.message import WAL, stamped
from dutiful.replicas.checks import check_declarations
from dutiful.replicas.position import formatted, parse
from dutiful.task import task
from tests.support.lint import Shop
from tests.template.test_env import manage

pytest_plugins = ["tests.support.lint_fixtures"]
POSTGRES = "postgres://user:secret@127.0.0.1:1"
TWO = {"DATABASE_URL": f"{POSTGRES}/app", "REPLICA_URLS": f"{POSTGRES}/a, {POSTGRES}/b"}


def test_without_replicas_there_is_nothing() -> None:
    from django.conf import settings

    assert list(settings.DATABASES) == ["default"]
    assert settings.DATABASE_ROUTERS == []
    assert hooks.stamp is None
    assert hooks.reading is None


@pytest.mark.parametrize(
    ("environment", "line"),
    [
        ({"REPLICA_URLS": "mysql://x/y"}, "REPLICA_URLS=(hidden) is not URLs that begin with"),
        ({"REPLICA_URLS": f"{POSTGRES}/a"}, "so DATABASE_URL must be a postgres:// URL too"),
        ({**TWO, "REPLICA_MAX_LAG_MB": "few"}, "REPLICA_MAX_LAG_MB='few' is not a whole number"),
    ],
)
def test_a_wrong_environment_is_refused(environment: dict[str, str], line: str) -> None:
    ended = manage("check", **environment)
    assert ended.returncode != 0
    assert line in ended.stderr
    assert "secret" not in ended.stderr


def test_each_url_is_an_alias() -> None:
    code = """
from django.conf import settings
print(*settings.DATABASES)
found = settings.DATABASES["replica2"]
print(found["NAME"], found["OPTIONS"]["options"], found["TEST"]["MIRROR"])
"""
    ended = manage("shell", "--no-imports", "-c", code, **TWO)
    assert ended.stdout.splitlines() == [
        "default replica1 replica2",
        "b -c default_transaction_read_only=on default",
    ]


def test_e001_a_declaration_that_nobody_knows(shop: Shop) -> None:
    @task(name="shop.report", urgency="relaxed", runtime="slow", reads="copy")  # type: ignore[call-overload, untyped-decorator, unused-ignore]
    def report() -> None:
        """Done."""

    assert report.name == "shop.report"
    (message,) = check_declarations()
    assert (message.id, message.obj) == ("dutiful.E301", "shop.report")
    assert message.msg == "reads='copy' is not one of primary, replica, delayed."


def test_e002_a_name_that_nobody_bears() -> None:
    for name in ("REPLICA_READS", "REPLICA_HOLD"):
        ended = manage("check", **{name: "relaxed,avarage"})
        assert ended.returncode != 0
        assert f"(dutiful.E302) {name} names 'avarage'" in ended.stderr
    assert (
        manage("check", REPLICA_READS="relaxed,average_slow,dutiful.beat.heartbeat").returncode == 0
    )


def test_several_hosts_are_asked_for_the_one_that_takes_writes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://user:secret@one:5432,two:5433/app")
    entry = connections.settings(env.database())
    assert (entry["HOST"], str(entry["PORT"])) == ("one,two", "5432,5433")
    assert entry["OPTIONS"]["target_session_attrs"] == "read-write"
    monkeypatch.setenv("DATABASE_URL", "postgres://user:secret@one/app")
    assert "target_session_attrs" not in connections.settings(env.database())["OPTIONS"]


def test_a_position_is_a_number() -> None:
    assert parse("16/B374D848") == 0x16B374D848
    assert formatted(0x16B374D848) == "16/B374D848"
    for wrong in (None, "", "16", "x/y", 5, ["1/2"], "1/2/3"):
        assert parse(wrong) is None


def test_a_stamp_is_a_header_of_its_message_alone() -> None:
    text = json.dumps({"body": "aA==", "headers": {"id": "1", "argsrepr": '"headers": {"'}})
    once = stamped(text, "0/5")
    assert json.loads(once)["headers"] == {**json.loads(text)["headers"], WAL: "0/5"}
    assert stamped(once, "0/6") == once
    assert stamped("{}", "0/5") == "{}"
