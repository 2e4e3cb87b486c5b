"""Topics from one document on a sample of the labelled articles, where these lie beside the project."""

from __future__ import annotations

import pytest
from quality import part_topics, sets


@pytest.mark.slow
@pytest.mark.skipif(not sets.there(), reason="the labelled articles are not here (../shared/data)")
def test_a_profile_from_one_article_finds_its_story() -> None:
    """Every twentieth story of BASIL; the whole is `./run quality topics`."""
    found = part_topics.of_set("basil", cut=True, every=20)
    assert found.f1 >= 0.70
    assert found.map >= 0.90
