"""dutiful.E001 and E002, which every start checks on registered tasks."""

from celery import shared_task

from dutiful.task import task
from dutiful.task.checks import check_aliases, check_declarations
from tests.support.lint import Shop

pytest_plugins = ["tests.support.lint_fixtures"]


def test_e001_a_task_without_a_class(shop: Shop) -> None:
    @shared_task(name="shop.undeclared")
    def undeclared() -> None:
        """Done."""

    assert undeclared.name == "shop.undeclared"
    (message,) = check_declarations()
    assert (message.id, message.obj) == ("dutiful.E001", "shop.undeclared")
    assert "declares no urgency and runtime" in message.msg


def test_e002_an_alias_that_another_task_bears(shop: Shop) -> None:
    @task(urgency="average", runtime="fast", name="shop.a", aliases=("shop.old",))
    def first() -> None:
        """Done."""

    @task(urgency="average", runtime="fast", name="shop.b", aliases=("shop.a", "shop.old"))
    def second() -> None:
        """Done."""

    assert (first.name, second.name) == ("shop.a", "shop.b")
    messages = check_aliases()
    assert [(message.id, message.obj, message.msg) for message in messages] == [
        ("dutiful.E002", "shop.b", "its alias 'shop.a' is the name of shop.a."),
        ("dutiful.E002", "shop.b", "its alias 'shop.old' is an alias of shop.a."),
    ]
