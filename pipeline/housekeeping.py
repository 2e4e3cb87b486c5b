"""What the service does beside polling, by the clock: tidies every hour, lets go of what is not kept once a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from pipeline import stories
from pipeline.retention import Rules
from pipeline.store import Store

TIDY_EVERY = timedelta(hours=1)
PRUNE_EVERY = timedelta(days=1)


@dataclass(slots=True)
class Housekeeping:
    """When what was last done. A restart tidies at once, and lets go of things again: that costs a look."""

    store: Store
    tidied_at: datetime | None = None
    pruned_at: datetime | None = None

    def tidy(self, now: datetime, retry_after_cap: timedelta) -> None:
        """Once an hour, and when the clock was set back: lets go of what no story's window reaches any more."""
        if _done(self.tidied_at, now, TIDY_EVERY):
            return
        self.tidied_at = now
        with self.store.transaction():
            self.store.feeds.set_back(now, retry_after_cap)
            self.store.stories.forget(now - 2 * stories.WINDOW)

    def pruning_is_due(self, rules: Rules, now: datetime) -> bool:
        """Whether a day has passed since it was last done; where nothing is configured to go, never."""
        if (rules.least is None and rules.polls is None) or _done(self.pruned_at, now, PRUNE_EVERY):
            return False
        self.pruned_at = now
        return True


def _done(last: datetime | None, now: datetime, every: timedelta) -> bool:
    return last is not None and timedelta() <= now - last < every
