"""Replays a group of dead letters: a few canaries first, then the rest at a rate.

The state is in the database and each step is a short transaction, so any process can take the next
step after a restart.
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
"""Seconds that a step looks ahead: it sends what is due until the next one, with a delay each."""
STEP_SECONDS: Final = 45.0
"""The most seconds that a step takes. It sends about 2,000, which is the highest rate a minute."""
STOPS_AT: Final = 3
STOPS_SHARE: Final = 0.1
"""The campaign stops if this many, and this share of those that ended, died again."""


def canary(fingerprint: str, count: int, rate: int = 0, by: str = "") -> Campaign:
    """Replays the `count` oldest open dead letters of a group now.

    When all of them have succeeded, the rest follows at `rate` a minute, or with rate 0 when `rest`
    is called. If one dies again, the campaign stops. Raises ReplayError.
    """
    if count < 1 or rate < 0:
        raise ReplayError(
            "a canary needs at least one dead letter, and a rate that is not negative"
        )
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
        raise ReplayError("no open dead letter of this group could be replayed: try one by itself")
    return campaign


def rest(campaign: Campaign, rate: int) -> None:
    """Replays the rest of the group from now, at `rate` a minute. Raises ReplayError."""
    if rate < 1:
        raise ReplayError("the rate is dead letters a minute, 1 or more")
    changed = Campaign.objects.filter(pk=campaign.pk, state__in=ACTIVE).update(
        state=Campaign.State.RUNNING, rate=rate, next_at=timezone.now(), note=""
    )
    if not changed:
        raise ReplayError("this replay has ended: begin another one")
    campaign.refresh_from_db()
    step(campaign.pk)


def stop(campaign: Campaign, by: str = "") -> None:
    """Stops sending. Messages that are on their way still run."""
    _move(campaign, Campaign.State.STOPPED, f"stopped by {by or 'a command'}")


def step_all() -> int:
    """Takes the next step of each active campaign. Returns the number of messages sent."""
    return sum(step(each.pk) for each in Campaign.objects.filter(state__in=ACTIVE))


def step(pk: int) -> int:
    """Takes one campaign's next step. Returns the number of messages sent. May run concurrently."""
    until, sent = timezone.now() + timedelta(seconds=AHEAD_SECONDS), 0
    deadline = time.monotonic() + STEP_SECONDS
    if not _evaluate(pk):
        return 0
    try:
        while time.monotonic() < deadline and _send_next(pk, until):
            sent += 1
    except NotSent as error:
        logger.error("replay %d pauses until its next step: %s", pk, error)
    return sent


def _evaluate(pk: int) -> bool:
    """Moves the campaign on by how its replays ended. Returns whether to send more of them."""
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
    """Sends the next one, delayed to its moment. False if none is due before `until`."""
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
    """False if this one cannot be sent at all; it stays open, with the reason in its note."""
    try:
        replay(letter, f"replay {campaign.pk}", countdown=wait, campaign=campaign)
    except NotSent:
        raise
    except ReplayError as error:
        note = f"replay {campaign.pk}: {error}"
        DeadLetter.objects.filter(pk=letter.pk).update(campaign=campaign, note=note)
        logger.error("dead letter %d stays open: %s", letter.pk, error)
        return False
    return True


def _move(campaign: Campaign, state: Any, note: str) -> None:
    campaign.state, campaign.note = state, note
    campaign.save(update_fields=["state", "note", "next_at"])
    logger.warning("replay %d of %s: %s, %s", campaign.pk, campaign.fingerprint, state, note)
