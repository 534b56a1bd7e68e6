"""Where Django looks for this app's tables; each lies with its example."""

from tasks.examples.export.models import Export
from tasks.examples.kill.models import Kill
from tasks.examples.mail.models import Signup
from tasks.examples.photo.models import Photo
from tasks.examples.runs.models import Run

__all__ = ["Export", "Kill", "Photo", "Run", "Signup"]
