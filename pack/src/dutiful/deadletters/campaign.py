"""A group replayed with care: some letters first, then the rest at a rate.

All of it is in the database and each step is a short transaction, so it goes on after any restart,
in whatever process takes the next step.
"""

import logging
import time
from collections import Counter
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.utils import timezone

from dutiful.deadletters.models import Campaign, DeadLetter
from dutiful.deadletters.replay import NotSent, ReplayError, replay

logger = logging.getLogger(__name__)
ACTIVE: Final = (Campaign.State.CANARY, Campaign.State.WAITING, Campaign.State.RUNNING)
AHEAD_SECONDS: Final = 70
"""A step sends what is due until the next one, each message delayed to its own moment."""
STEP_SECONDS: Final = 45.0
"""The most that a step takes: about 2,000 letters, which so is the highest rate."""
STOPS_AT: Final = 3
STOPS_SHARE: Final = 0.1
"""The rest stops once so many, and such a share of what has ended, died again."""


def canary(fingerprint: str, count: int, rate: int = 0, by: str = "") -> Campaign:
    """Replays the `count` oldest open letters of a group now.

    Once all of them have succeeded the rest follows, at `rate` a minute; with rate 0 it waits for
    `rest`. If one dies again it stops. Raises ReplayError.
    """
    if count < 1 or rate < 0:
        raise ReplayError("a canary needs at least one letter, and a rate that is not negative")
    try:
        with transaction.atomic():
            campaign = Campaign.objects.create(fingerprint=fingerprint, rate=rate, by=by)
    except IntegrityError:
        raise ReplayError("a replay of this group is under way: stop it first") from None
    sent = 0
    try:
        for letter in list(_open(campaign)[:count]):
            sent += _send(campaign, letter)
    except NotSent as error:
        _move(campaign, Campaign.State.STOPPED, str(error))
        raise
    if not sent:
        _move(campaign, Campaign.State.STOPPED, "nothing was sent")
        raise ReplayError("no open letter of this group could be replayed: try one by itself")
    return campaign


def rest(campaign: Campaign, rate: int) -> None:
    """The rest of the group, at `rate` letters a minute, from now. Raises ReplayError."""
    if rate < 1:
        raise ReplayError("the rate is letters a minute, 1 or more")
    changed = Campaign.objects.filter(pk=campaign.pk, state__in=ACTIVE).update(
        state=Campaign.State.RUNNING, rate=rate, next_at=timezone.now(), note=""
    )
    if not changed:
        raise ReplayError("this replay has ended: begin another one")
    campaign.refresh_from_db()
    step(campaign.pk)


def stop(campaign: Campaign, by: str = "") -> None:
    """No more of its letters are sent; those on their way run."""
    _move(campaign, Campaign.State.STOPPED, f"stopped by {by or 'a command'}")


def step_all() -> int:
    """Takes the next step of each. Returns how many letters were sent."""
    return sum(step(each.pk) for each in Campaign.objects.filter(state__in=ACTIVE))


def step(pk: int) -> int:
    """One campaign's next step. Returns how many letters were sent. May run twice at once."""
    until, sent = timezone.now() + timedelta(seconds=AHEAD_SECONDS), 0
    deadline = time.monotonic() + STEP_SECONDS
    if not _judge(pk):
        return 0
    try:
        while time.monotonic() < deadline and _send_next(pk, until):
            sent += 1
    except NotSent as error:
        logger.error("replay %d pauses until its next step: %s", pk, error)
    return sent


def _judge(pk: int) -> bool:
    """By what became of its letters so far: whether more are to be sent."""
    with transaction.atomic():
        campaign = _locked(pk)
        counts = Counter(campaign.dead_letters.values_list("state", flat=True))
        died, under_way = counts[DeadLetter.State.DIED_AGAIN], counts[DeadLetter.State.REPLAYED]
        over = died + counts[DeadLetter.State.SUCCEEDED]
        if campaign.state == Campaign.State.CANARY:
            if died:
                _move(campaign, Campaign.State.STOPPED, f"{died} of {over} canaries died again")
            elif not under_way and not campaign.rate:
                _move(campaign, Campaign.State.WAITING, f"all {over} canaries succeeded")
            elif not under_way:
                campaign.next_at = timezone.now()
                _move(campaign, Campaign.State.RUNNING, f"all {over} canaries succeeded")
        elif campaign.state == Campaign.State.RUNNING:
            if died >= STOPS_AT and died >= STOPS_SHARE * over:
                _move(campaign, Campaign.State.STOPPED, f"{died} of {over} died again")
            elif not under_way and not _open(campaign).exists():
                _move(campaign, Campaign.State.DONE, f"{over - died} succeeded, {died} died again")
        return campaign.state == Campaign.State.RUNNING


def _send_next(pk: int, until: datetime) -> bool:
    """The next letter, delayed to its moment. False: no more of them before `until`."""
    with transaction.atomic():
        campaign = _locked(pk)
        now = timezone.now()
        moment = max(campaign.next_at, now)
        letter = _open(campaign).first()
        if campaign.state != Campaign.State.RUNNING or moment >= until or letter is None:
            return False
        if _send(campaign, letter, (moment - now).total_seconds()):
            campaign.next_at = moment + timedelta(minutes=1) / campaign.rate
            campaign.save(update_fields=["next_at"])
        return True


def _locked(pk: int) -> Campaign:
    # SQLite has no row locks: its transactions here begin with the write lock.
    return Campaign.objects.select_for_update().get(pk=pk)


def _open(campaign: Campaign) -> Any:
    letters = DeadLetter.objects.filter(
        fingerprint=campaign.fingerprint, state=DeadLetter.State.OPEN, died_at__lt=campaign.before
    )
    return letters.exclude(campaign=campaign).order_by("died_at", "pk")


def _send(campaign: Campaign, letter: DeadLetter, wait: float = 0) -> bool:
    """False where this letter cannot be sent at all: it stays open, with the reason."""
    try:
        replay(letter, f"replay {campaign.pk}", countdown=wait, campaign=campaign)
    except NotSent:
        raise
    except ReplayError as error:
        note = f"replay {campaign.pk}: {error}"
        DeadLetter.objects.filter(pk=letter.pk).update(campaign=campaign, note=note)
        logger.error("letter %d is left open: %s", letter.pk, error)
        return False
    return True


def _move(campaign: Campaign, state: Any, note: str) -> None:
    campaign.state, campaign.note = state, note
    campaign.save(update_fields=["state", "note", "next_at"])
    logger.warning("replay %d of %s: %s, %s", campaign.pk, campaign.fingerprint, state, note)
