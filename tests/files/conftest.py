"""The bucket and spaces that the tests of files share."""

import pytest
from django.conf import LazySettings

from accounts.actors import CaseClient
from filevault.dynamo import new_id
from tests.files.space import C1, FakeSpace, make_bucket, make_space


@pytest.fixture
def space(world: None, request: pytest.FixtureRequest, settings: LazySettings) -> FakeSpace:
    """On moto the space `test:one` of practitioner A and client C1, with a bucket behind it. On
    the stack, which all tests share, one of its own in the stack's bucket."""
    if request.node.get_closest_marker("stack") is None:
        make_bucket(settings.FILEVAULT_BUCKET)
        return make_space("one")
    settings.FILEVAULT_BUCKET = request.getfixturevalue("stack").stack["bucket"]
    settings.S3_ADDRESSING_STYLE = "path"
    settings.STORAGES = {**settings.STORAGES}  # the storage of another bucket is forgotten
    made = make_space(new_id())
    made.owner_id = new_id()
    return made


@pytest.fixture
def client(space: FakeSpace) -> CaseClient:
    """A client of that space."""
    return CaseClient("client-1", space.key, space.owner_id, C1.display_name)
