"""The people of these tests, signed in once."""

from collections.abc import Callable, Iterator

import pytest

from tests.security.people import Invited, Person, Town, build_town, invite_somebody
from tests.security.production import Production, running_production
from tests.stack import TestStack


@pytest.fixture(scope="session")
def town(app: str, stack: TestStack) -> Town:
    return build_town(app, stack)


@pytest.fixture
def stranger(app: str, stack: TestStack) -> Iterator[Callable[[], Person]]:
    """Makes browsers that know nothing yet."""
    made: list[Person] = []

    def make() -> Person:
        made.append(Person(app, stack))
        return made[-1]

    yield make
    for person in made:
        person.http.close()


@pytest.fixture(scope="session")
def production(app: str, stack: TestStack) -> Iterator[Production]:
    """The product behind https, on the same tables."""
    with running_production(stack) as made:
        yield made


@pytest.fixture
def invited(town: Town, app: str, stack: TestStack) -> Invited:
    """Somebody new with a case of their own, and its link."""
    return invite_somebody(town, Person(app, stack))


@pytest.fixture(scope="module")
def holder(town: Town, app: str, stack: TestStack) -> Invited:
    """The same, for tests that leave the link as it was."""
    return invite_somebody(town, Person(app, stack))
