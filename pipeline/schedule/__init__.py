"""When to ask a feed again, from the answer it gave. Pure: now and the draw are handed in.

`next_poll` (plan.py) weighs interval, hints and failures; `learn` (rhythm.py) keeps what the feed's habits are.
"""

from pipeline.schedule.plan import Answer, Pace, Plan, freshness, next_poll
from pipeline.schedule.rhythm import learn_raw as learn

__all__ = ["Answer", "Pace", "Plan", "freshness", "learn", "next_poll"]
