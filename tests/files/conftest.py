"""The bucket and spaces that the tests of files share."""

import pytest
from django.conf import settings

from tests.files.space import FakeSpace, make_bucket, make_space


@pytest.fixture
def space(world: None, request: pytest.FixtureRequest) -> FakeSpace:
    """The space `test:one` of practitioner A and client C1, with a bucket behind it."""
    if request.node.get_closest_marker("stack") is None:
        make_bucket(settings.FILEVAULT_BUCKET)
    return make_space("one")
