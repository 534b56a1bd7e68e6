"""The task that checks a photo."""

from datetime import datetime

from dutiful.task import task
from dutiful.task.retries import PermanentError
from tasks.examples.photo.check import check
from tasks.examples.photo.dhash import NEAR, distance
from tasks.examples.photo.models import Photo


@task(name="examples.check_photo", urgency="average", runtime="slow", bound="compute")
def check_photo(photo: str, version: int) -> str:
    """Checks one version of a photo and writes the verdict into its row.

    A picture that is broken or hostile is a verdict, not an error. Raises PermanentError where
    the file itself is not there; storage that fails otherwise is tried again.
    """
    row = Photo.objects.filter(pk=photo).first()
    if row is None:
        return "nothing to do: the photo is deleted"
    if row.version != version:
        return "nothing to do: another file took its place"
    try:
        with row.file.open("rb") as file:
            content = file.read()
    except FileNotFoundError:
        if not Photo.objects.filter(pk=photo, version=version).exists():
            return "nothing to do: deleted or replaced just now"
        raise PermanentError(
            f"{row.file.name} is not in the storage that this worker sees. Web and workers must"
            " share FILES_DIR, or use S3_BUCKET."
        ) from None
    verdict = check(content, row.uploaded_name)
    fingerprint = ""
    if verdict.fingerprint is not None:
        fingerprint = f"{verdict.fingerprint:016x}"
        near = near_duplicate(verdict.fingerprint, row.created_at)
        told = f"like the one of {near.created_at:%d %b %Y, %H:%M} UTC" if near else "none before"
        verdict.note("near-duplicates", near is None, told)
    written = Photo.objects.filter(pk=photo, version=version).update(
        accepted=verdict.accepted, findings=verdict.findings, fingerprint=fingerprint
    )
    if not written:
        return "nothing to do: deleted or replaced just now"
    return "accepted" if verdict.accepted else "not accepted"


def near_duplicate(fingerprint: int, before: datetime) -> Photo | None:
    """The earliest of the earlier photos that looks the same, None if there is none."""
    earlier = Photo.objects.filter(created_at__lt=before).exclude(fingerprint="")
    for photo in earlier.order_by("created_at").iterator():
        if distance(fingerprint, int(photo.fingerprint, 16)) <= NEAR:
            return photo
    return None
