"""Photo check through a compute worker: verdicts, duplicates, hostile files, replaced ones."""

import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from dutiful.testing.processes import Running
from tasks.examples.models import Photo
from tasks.examples.photo.sample import paint
from tasks.examples.photo.tasks import check_photo
from tasks.examples.tests.pressing import finished, press

pytestmark = pytest.mark.django_db(transaction=True)


def upload(content: bytes, name: str = "hills.jpg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def test_a_photo_gets_its_verdict_and_its_twin_is_known(
    client: Client, compute_worker: Running
) -> None:
    run = finished(press(client, "/examples/photo/", {"photo": upload(paint(1))}).pk)
    assert (run.state, run.result, run.queue) == ("done", "accepted", "average_slow_compute")
    assert "960 by 640 pixels" in client.get(f"/examples/runs/{run.pk}/").content.decode()
    twin = finished(press(client, "/examples/photo/", {"photo": upload(paint(1))}).pk)
    assert twin.result == "not accepted"
    assert "Near-duplicates</b> like the one of" in (
        client.get(f"/examples/runs/{twin.pk}/").content.decode()
    )


def test_hostile_files_are_verdicts_at_the_first_try(
    client: Client, compute_worker: Running
) -> None:
    svg = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
    for content, name in ((svg, "a.svg"), (paint(2)[:5000], "a.jpg"), (b"MZ" * 500, "a.png")):
        run = finished(press(client, "/examples/photo/", {"photo": upload(content, name)}).pk)
        assert (run.state, run.result, run.tries) == ("done", "not accepted", 1)


def test_a_replaced_photo_is_judged_by_its_new_file(
    client: Client, compute_worker: Running
) -> None:
    photo = Photo(uploaded_name="old.jpg")
    photo.file.save("old", ContentFile(b"not a picture"))
    old = photo.file.name
    replaced = press(
        client, f"/examples/photo/{photo.pk}/replace/", {"photo": upload(paint(3), "new.jpg")}
    )
    late = finished(check_photo.delay(str(photo.pk), 1).id)  # the old file's check comes now
    assert late.result == "nothing to do: another file took its place"
    assert finished(replaced.pk).result == "accepted"
    photo.refresh_from_db()
    assert (photo.accepted, photo.version, photo.uploaded_name) == (True, 2, "new.jpg")
    assert not photo.file.storage.exists(old)


def test_a_deleted_photo_is_left_alone(compute_worker: Running) -> None:
    photo = Photo.objects.create(uploaded_name="a.jpg")
    pk = str(photo.pk)
    photo.delete()
    run = finished(check_photo.delay(pk, 1).id)
    assert (run.state, run.result) == ("done", "nothing to do: the photo is deleted")


def test_a_file_that_the_worker_cannot_see_says_what_to_share(compute_worker: Running) -> None:
    photo = Photo.objects.create(uploaded_name="a.jpg", file="photos/elsewhere")
    run = finished(check_photo.delay(str(photo.pk), 1).id)
    assert (run.state, run.tries) == ("failed", 1)
    assert "S3_BUCKET" in run.error
