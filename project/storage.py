"""Where files go that web writes and workers read: one folder, or an S3-compatible bucket."""

from typing import Any

from dutiful import env


def files() -> dict[str, Any]:
    """The default entry of Django's STORAGES."""
    bucket = env.S3_BUCKET.get()
    if bucket:
        options: dict[str, Any] = {"bucket_name": bucket, "file_overwrite": False}
        if env.S3_ENDPOINT_URL.get():
            options["endpoint_url"] = env.S3_ENDPOINT_URL.get()
        return {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}
    return {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": env.FILES_DIR.get()},
    }


def refuse_local_files_on_heroku() -> None:
    """Raises EnvError: each dyno has a disk of its own, so a worker never sees web's files."""
    if env.on_heroku() and not env.S3_BUCKET.get():
        raise env.EnvError(
            "S3_BUCKET is not set. On Heroku each dyno has its own disk, so a worker cannot read"
            " what web saved: add a bucket (and AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY)."
        )
