"""`python -m pipeline.cli`: the command, where it is not installed on the PATH."""

from pipeline.cli import main

main()
