"""The product as production runs it: https by a proxy in front, and a login provider of the tests.

The proxy is the transport of the browsers that come by it: they speak https with the site, and it
hands their requests on, saying for whom.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
from requests import PreparedRequest, Request

from filevault.local.ministack import HOST, free_port
from filevault.local.processes import wait_until_answering, web_server
from tests.accounts import provider as fake
from tests.accounts.provider import Provider
from tests.security.people import NO_TLS, Person
from tests.stack import TestStack

SITE = "https://files.example.test"
PROXY = "127.0.0.1"


class Proxy(httpx.BaseTransport):
    """Ends https and hands requests on to the web server, as a load balancer does."""

    def __init__(self, port: int, client_address: str) -> None:
        self.inner = httpx.HTTPTransport(verify=NO_TLS, local_address=PROXY)
        self.port, self.client_address = port, client_address

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        said = request.headers.get("X-Forwarded-For", "")
        handed = httpx.Request(
            request.method,
            request.url.copy_with(scheme="http", host=HOST, port=self.port),
            headers=request.headers,
            content=request.read(),
        )
        handed.headers["X-Forwarded-For"] = ", ".join(filter(None, [said, self.client_address]))
        handed.headers["X-Forwarded-Proto"] = "https"
        return self.inner.handle_request(handed)


@dataclass
class Production:
    """The running product and its login provider."""

    stack: TestStack
    port: int
    provider: Provider

    def browser(self, address: str = "") -> Person:
        """A browser at an address: one of its own unless told otherwise."""
        person = Person(SITE, self.stack)
        person.address = address or person.address
        person.http = httpx.Client(
            base_url=SITE,
            transport=Proxy(self.port, person.address),
            headers={"Origin": SITE},
            timeout=20,
        )
        return person

    def sign_in(self, person: Person, **claims: object) -> httpx.Response:
        """Log in as whom the claims say; answers what the callback does."""
        self.provider.claims = dict(claims)
        begun = person.begin_login().headers["Location"]
        return person.get(self.provider.authorize(begun))


@contextmanager
def running_production(stack: TestStack) -> Iterator[Production]:
    """A web server beside the stack's own, on the same tables."""
    provider = Provider()
    port = free_port(int(stack.stack["site"].rpartition(":")[2]) + 1)  # of this process's range
    with served(provider) as discovery:
        environment = stack.environment | {
            "FILEVAULT_LOCAL": "0",
            "ALLOW_SQLITE": "1",
            "SITE_URL": SITE,
            "TRUSTED_PROXIES": PROXY,
            "METRICS_TOKEN": "what-the-scraper-shows-and-nobody-else",
            "OIDC_ISSUER": fake.ISSUER,
            "OIDC_DISCOVERY_URL": discovery,
            "OIDC_CLIENT_ID": fake.CLIENT_ID,
            "OIDC_CLIENT_SECRET": fake.CLIENT_SECRET,
        }
        web = web_server(environment, port, stack.state / "production")
        try:
            web.start()
            wait_until_answering(web, port)
            yield Production(stack, port, provider)
        finally:
            web.stop()


@contextmanager
def served(provider: Provider) -> Iterator[str]:
    """The provider over HTTP; yields the address of its discovery document."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            routes = {"/discovery": provider._discovery, "/keys": provider._jwks}
            self._answer(routes[self.path](PreparedRequest()))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            asked = Request("POST", base, data=body, headers=dict(self.headers)).prepare()
            asked.body = body.decode()
            self._answer(provider._token(asked))

        def _answer(self, answer: tuple[int, dict[str, object]]) -> None:
            status, content = answer
            sent = httpx.Response(status, json=content).content
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, format: str, *values: object) -> None:
            """Nothing to say."""

    server = ThreadingHTTPServer((HOST, 0), Handler)
    base = f"http://{HOST}:{server.server_port}"
    provider.metadata = {"token_endpoint": f"{base}/token", "jwks_uri": f"{base}/keys"}
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"{base}/discovery"
    finally:
        server.shutdown()
        server.server_close()
