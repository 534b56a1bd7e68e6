"""Export file: downloaded and counted, cancelled, asked for once more."""

import csv
import io

import pytest
from django.core.files.storage import default_storage
from django.test import Client

from dutiful.testing.processes import Running, wait_for
from tasks.examples.export.rows import ROWS
from tasks.examples.export.tasks import write_export
from tasks.examples.models import Export
from tasks.examples.tests.pressing import finished, press

pytestmark = pytest.mark.django_db(transaction=True)


def files() -> list[str]:
    return default_storage.listdir("exports")[1] if default_storage.exists("exports") else []


def test_200_000_rows_are_written_and_downloaded(client: Client, io_worker: Running) -> None:
    run = press(client, "/examples/export/")
    export = Export.objects.get()
    seen = set[int]()

    def moving() -> bool:
        export.refresh_from_db()
        seen.add(export.written)
        return len(seen - {0, ROWS}) > 1

    wait_for("a bar that moves", moving)
    assert finished(run.pk).result == "200,000 rows"
    answer = client.get(f"/examples/export/{export.pk}/download/")
    assert answer.streaming
    assert "attachment" in answer.headers["Content-Disposition"]
    lines = csv.reader(io.StringIO(answer.getvalue().decode()))
    next(lines)
    assert [int(line[0]) for line in lines] == list(range(1, ROWS + 1))

    size = default_storage.size(export.file or f"exports/{export.pk}.csv")
    again = finished(write_export.delay(str(export.pk)).id)
    assert again.result == "nothing to do: the export is done already"
    assert default_storage.size(f"exports/{export.pk}.csv") == size


def test_cancel_stops_it_and_leaves_no_file(client: Client, io_worker: Running) -> None:
    before = files()
    run = press(client, "/examples/export/")
    export = Export.objects.get()
    wait_for("some rows", lambda: Export.objects.filter(pk=export.pk, written__gt=0).exists())
    assert client.post(f"/examples/export/{export.pk}/cancel/").status_code == 302
    ended = finished(run.pk)
    assert ended.result == "cancelled"
    export.refresh_from_db()
    assert export.state == "cancelled"
    assert export.written < ROWS
    assert files() == before
    assert client.get(f"/examples/export/{export.pk}/download/").status_code == 404


def test_deleting_stops_it_too(client: Client, io_worker: Running) -> None:
    before = files()
    run = press(client, "/examples/export/")
    wait_for("some rows", lambda: Export.objects.filter(written__gt=0).exists())
    Export.objects.all().delete()
    assert finished(run.pk).result == "deleted"
    assert files() == before


@pytest.mark.parametrize("moved_on", ["deleted", "cancelled"])
def test_a_state_that_has_moved_on_is_left_alone(io_worker: Running, moved_on: str) -> None:
    before = files()
    export = Export.objects.create()
    pk = str(export.pk)
    if moved_on == "deleted":
        export.delete()
    else:
        assert export.cancel()
    run = finished(write_export.delay(pk).id)
    assert run.state == "done"
    assert run.result.startswith("nothing to do")
    assert moved_on in run.result
    assert files() == before
