"""Input that nobody meant: real feeds and files, changed at random, through the real code. See docs/reliability.md."""
