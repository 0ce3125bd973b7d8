"""What a page of the API's list costs does not grow with what there is to list."""

import pytest

from files.sharing import share
from files.tables import File, FileRef, FileShare
from files.vault import vault_of
from filevault.dynamo import new_id, now
from tests.api.conftest import Caller, stored
from tests.cast import Cast
from tests.counting import counted


def copy_often(file_id: str, times: int) -> None:
    """Put `times` files like this one beside it, shared as it is."""
    model = stored(file_id)
    with File.batch_write() as files, FileRef.batch_write() as refs:
        for _each in range(times):
            copied = File(**{name: getattr(model, name) for name in model.get_attributes()})
            copied.file_id = new_id()
            files.save(copied)
            refs.save(FileRef(copied.file_id, space_id=copied.space_id))
            for user_id in model.shared_with:
                FileShare(
                    user_id,
                    copied.file_id,
                    space_id=copied.space_id,
                    file_name=copied.file_name,
                    size=copied.size,
                    mime_type=copied.mime_type,
                    shared_by=model.owner_id,
                    created_at=now(),
                ).save()


@pytest.mark.parametrize("whose", ["owned", "shared"])
def test_calls_of_a_list_are_constant(
    cast: Cast, anna: Caller, ben: Caller, monkeypatch: pytest.MonkeyPatch, whose: str
) -> None:
    file_id = anna.upload()
    share(cast.a, vault_of(cast.a), file_id, user_id=cast.b.user_id)
    reader = anna if whose == "owned" else ben
    copy_often(file_id, 9)
    costs = []
    for further in (0, 290):
        copy_often(file_id, further)
        with counted(monkeypatch) as calls:
            answer = reader("GET", "files/list?limit=10")
        assert len(answer.json()[whose]) == 10
        costs.append(calls)
    assert costs[0] == costs[1]
    assert len(costs[0]) <= 8
