"""The project's settings, with a mailbox folder of this test's own."""

import os
from pathlib import Path

from project.settings import *  # noqa: F403

MAILBOX_DIR = Path(os.environ["TEST_MAILBOX_DIR"])
