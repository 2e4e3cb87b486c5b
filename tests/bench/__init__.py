"""Measurements, run on demand by `./run bench`. Nothing here is a test; figures go to people, not to assertions."""
