"""When to ask a feed again, from the answer it gave. Pure: now and the draw are handed in.

`next_poll` (plan.py) weighs interval, hints and failures; `learn` (rhythm.py) keeps what the feed's habits are;
`heard` (outage.py) tells a dead line from a dead server.
"""

from pipeline.schedule.outage import UNREACHED, Line, heard
from pipeline.schedule.plan import Answer, Pace, Plan, asked_for, freshness, next_poll
from pipeline.schedule.rhythm import learn_raw as learn

__all__ = ["UNREACHED", "Answer", "Line", "Pace", "Plan", "asked_for", "freshness", "heard", "learn", "next_poll"]
