"""Quality measured on labelled articles that lie beside the project (`../shared/data`, never part of it).

`./run quality` measures everything and holds it against `floors.toml`; without the data it says so and stops.
"""
