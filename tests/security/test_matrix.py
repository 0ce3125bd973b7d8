"""Z1: the running product answers as the declared matrix says, and has no way in beside it."""

import re
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx
import pytest
from django.urls import URLPattern, URLResolver, get_resolver, resolve

from filevault.dynamo import new_id
from filevault.middleware import HealthMiddleware
from tests.security.matrix import BODIES, ENDINGS, LEAVING, MATRIX
from tests.security.people import Person, essence, hidden_fields
from tests.security.production import Production
from tests.security.scene import Scene, build_scene

URLCONF = "filevault.urls"
_OBJECT = re.compile(r"\{(\w+\+?)\}")
_JSON = re.compile(r"^/api/|/files/(presign|same|parts|confirm|abort)")


@dataclass(frozen=True)
class Row:
    """An operation on objects, and what each actor is answered."""

    method: str
    path: str
    cells: dict[str, str]

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def body(self) -> dict[str, object]:
        endings = (body for end, body in ENDINGS.items() if self.path.endswith(end))
        return BODIES.get(self.name) or next(endings, {})

    @property
    def objects(self) -> set[str]:
        return set(_OBJECT.findall(f"{self.path} {self.body}"))

    def address(self, ids: dict[str, str]) -> str:
        return str(filled(self.path, ids)).partition("#")[0]


def filled(value: Any, ids: dict[str, str]) -> Any:
    """A path or body with the ids of what it names."""
    if isinstance(value, dict):
        return {name: filled(each, ids) for name, each in value.items()}
    if isinstance(value, list):
        return [filled(each, ids) for each in value]
    return _OBJECT.sub(lambda m: ids[m[1]], value) if isinstance(value, str) else value


def rows_of(table: str) -> Iterator[Row]:
    actors, *lines = [line.split() for line in table.splitlines() if line]
    for method, path, *answers in lines:
        cells = zip(actors, answers, strict=True)
        yield Row(method, path, {actor: answer for actor, answer in cells if answer != "-"})


LAST = list(rows_of(LEAVING))
ROWS = [row for table in MATRIX for row in rows_of(table)]


def ask(scene: Scene, actor: str, row: Row, ids: dict[str, str]) -> httpx.Response:
    """Send what the row says: in JSON where the route takes that, else as a form with what its page
    holds beside what a person enters."""
    person, address, body = scene.people[actor], row.address(ids), filled(row.body, ids)
    if row.method == "GET":
        return person.get(address)
    token = "" if actor == "T" else scene.token(actor)
    if _JSON.search(row.path):
        headers = {"X-CSRFToken": token}
        return person.http.request(row.method, address, json=body, headers=headers)
    page = person.get(address).text if row.cells[actor] == "yes" else ""
    return person.http.post(
        address, data={**hidden_fields(page), **body, "csrfmiddlewaretoken": token}
    )


def verdict(person: Person, answer: httpx.Response) -> str:
    """An answer in the words of the matrix."""
    location = answer.headers.get("Location", "")
    if location.startswith("/admin/login/"):  # where Django's admin sends whom it keeps out
        answer = person.get(location)
        location = answer.headers.get("Location", "")
    if answer.status_code == 401 or location.startswith("/auth/login/"):
        return "401"
    return "yes" if 200 <= answer.status_code < 400 else str(answer.status_code)


def judge(scene: Scene, rows: Iterable[Row], actor: str) -> list[str]:
    """Everything in these rows of an actor's column that doesn't hold."""
    return list(_faults(scene, rows, actor))


def _faults(scene: Scene, rows: Iterable[Row], actor: str) -> Iterator[str]:
    for row in rows:
        expected = row.cells.get(actor)
        if expected is None:
            continue
        answer = ask(scene, actor, row, scene.ids(row.objects, fresh=expected == "yes"))
        given = verdict(scene.people[actor], answer)
        if row.method == "GET" and given in ("403", "404"):
            head = scene.people[actor].head(str(answer.request.url))
            if verdict(scene.people[actor], head) != given:
                yield f"{actor}: {row.name} gives {given}, but {head.status_code} to HEAD"
        if given != expected:
            yield f"{actor}: {row.name} gives {given}, not {expected}"
        elif given == "404" and row.objects:
            nowhere = ask(scene, actor, row, random_ids(row))
            if essence(answer) != essence(nowhere):
                yield f"{actor}: {row.name} tells itself from a random id"


def random_ids(row: Row) -> dict[str, str]:
    return {name: new_id() for name in row.objects}


def unnamed_methods(scene: Scene) -> Iterator[str]:
    """Methods that a route allows, by its own answer to one that nobody knows, and that the matrix
    doesn't name. Asked as somebody who gets past the guards before it."""
    named: dict[str, set[str]] = {}
    for row in ROWS:
        named.setdefault(route_of(row), set()).add(row.method)
    asked = {
        route_of(row): (row, actor)
        for row in ROWS
        for actor in row.cells
        if row.cells[actor] == "yes"
    }
    for route, (row, actor) in asked.items():
        if route.startswith("admin/") and "records" not in route:  # Django's own take any
            continue
        ids, headers = scene.ids(row.objects, fresh=False), {"X-CSRFToken": scene.token(actor)}
        answer = scene.people[actor].http.request("PROPFIND", row.address(ids), headers=headers)
        there = set(answer.headers.get("Allow", "none").split(", ")) - {"HEAD", "OPTIONS"}
        if there != named[route]:
            yield f"{route} takes {sorted(there)}, and the matrix names {sorted(named[route])}"


@pytest.mark.stack
def test_each_actor_may_do_what_the_matrix_says_Z1_Z2(world: None, production: Production) -> None:
    """Every cell of the declared matrix, asked of the product as production runs it; what is hidden
    has the bytes of what isn't there, and no route takes a method that isn't declared."""
    with build_scene(production) as scene, ThreadPoolExecutor(4) as pool:
        wrong = list(unnamed_methods(scene))
        for rows in ([row for row in ROWS if row not in LAST], LAST):
            columns = pool.map(partial(judge, scene, rows), scene.people)
            wrong += [line for column in columns for line in column]
    assert not wrong, "\n".join(["", *wrong])


def route_of(row: Row) -> str:
    """The route of the URLconf that a row's path leads to."""
    path = row.address(random_ids(row)).partition("?")[0]
    return path if path in HealthMiddleware.VIEWS else resolve(path, URLCONF).route


def routes(patterns: list[Any], before: str = "") -> Iterator[str]:
    """All routes of a URLconf, written as `ResolverMatch.route` does."""
    for each in patterns:
        route = before + str(each.pattern).removeprefix("^" if before else "")
        if isinstance(each, URLPattern):
            yield route
        elif isinstance(each, URLResolver):
            yield from routes(each.url_patterns, route)


def test_every_route_is_in_the_matrix_Z1() -> None:
    """A route of the URLconf that the matrix doesn't name fails the build, and so does a line that
    leads to no route."""
    there = {*routes(get_resolver(URLCONF).url_patterns), *HealthMiddleware.VIEWS}
    named = {route_of(row) for row in ROWS}
    assert there - named == set(), "not in the matrix"
    assert named - there == set(), "in the matrix alone"
