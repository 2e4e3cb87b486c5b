"""The command `newsbeat`. A thin command each: read options, open the store, call one function, print.

Results go to stdout, logs to stderr. Exit 0: done; 1: the work failed; 2: what was asked is wrong.
"""

from pipeline.cli.main import main

__all__ = ["main"]
