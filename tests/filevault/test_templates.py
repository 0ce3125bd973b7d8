"""A template can't change a row: PynamoDB's methods are closed to it."""

import pytest
from django.template import Context, Template

from accounts.tables import User
from filevault.dynamo import all_tables, now


@pytest.fixture
def user() -> User:
    row = User("u", issuer="i", subject="s", created_at=now())
    row.save()
    return row


@pytest.mark.parametrize(
    "call", ["delete", "save", "refresh", "delete_table", "create_table", "scan", "count", "fetch"]
)
def test_methods_of_a_row_are_closed_to_templates(user: User, call: str) -> None:
    user.display_name = "changed"
    page = Template("{{ item." + call + " }}").render(Context({"item": user}))
    assert page == ""
    kept = User.fetch("u")
    assert kept is not None
    assert kept.display_name == ""


@pytest.mark.parametrize("call", ["delete_table", "scan", "query"])
def test_methods_of_a_table_are_closed_to_templates(user: User, call: str) -> None:
    assert Template("{{ table." + call + " }}").render(Context({"table": User})) == ""
    assert all(table.exists() for table in all_tables())
