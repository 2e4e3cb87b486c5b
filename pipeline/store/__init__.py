"""Values to SQLite and back; the only writer of SQL. No judgements here.

`Store.open` takes the one lock of a database and brings its schema up to date; the table families hang on it:
`store.feeds`, `store.articles`, `store.stories`, `store.topics`, `store.polls`. One poll is one `store.transaction()`.
`Feedback` is a database of its own beside it: what people say.
"""

from pipeline.store.feedback import Feedback
from pipeline.store.places import FEEDBACK
from pipeline.store.store import Store

__all__ = ["FEEDBACK", "Feedback", "Store"]
