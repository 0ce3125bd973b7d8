"""A TCP proxy on 127.0.0.1 that stands between a browser and storage, and is as bad as told to be.

It shapes (bandwidth shared by all connections, delay), resets, refuses and swallows connections,
and counts bytes. It runs on a thread of its own; each control returns once it has taken effect, so
that a test says exactly when the network fails.
"""

import asyncio
import socket
import struct
import threading
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

from filevault.local.ministack import HOST

#: A connection's kernel buffers: bounded, so that a sender feels the shaping soon.
_BUFFER: Final = 256 * 1024
_SHAPED_PIECE: Final = 16 * 1024
_PIECE: Final = 256 * 1024
#: What a link may catch up on after the scheduler woke it late.
_BURST_SECONDS: Final = 0.01
_RESET: Final = struct.pack("ii", 1, 0)


@dataclass(frozen=True)
class Shape:
    """A line: bits a second in each direction for all connections together (0: as fast as it
    goes), and the seconds of a round trip."""

    bits_per_second: int = 0
    round_trip: float = 0.0

    @property
    def delay(self) -> float:
        return self.round_trip / 2


UNSHAPED: Final = Shape()


class Mode(Enum):
    """What happens to a new connection."""

    OPEN = "open"
    REFUSE = "refuse"
    SWALLOW = "swallow"


class _Link:
    """One direction of the line: a token bucket that every connection draws from in turn."""

    def __init__(self, shape: Shape) -> None:
        self._seconds_a_byte = 8 / shape.bits_per_second if shape.bits_per_second else 0.0
        self._free_at = 0.0

    async def carry(self, length: int) -> None:
        """Wait until `length` bytes have left."""
        if not self._seconds_a_byte:
            return
        now = time.monotonic()
        self._free_at = max(self._free_at, now - _BURST_SECONDS) + length * self._seconds_a_byte
        if self._free_at > now:
            await asyncio.sleep(self._free_at - now)


@dataclass(eq=False)
class _Connection:
    client: socket.socket
    storage: socket.socket | None = None
    task: asyncio.Task[None] | None = None


@dataclass
class Proxy:
    """See the module. `sent` counts bytes that went on to the target, `received` those that came
    back, `opened` connections."""

    port: int
    target: tuple[str, int]
    shape: Shape = UNSHAPED
    sent: int = 0
    received: int = 0
    opened: int = 0
    _mode: Mode = Mode.OPEN
    _connections: set[_Connection] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._up, self._down = _Link(self.shape), _Link(self.shape)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._accepting: asyncio.Task[None] | None = None
        self._listener: socket.socket | None = None

    @property
    def url(self) -> str:
        """Where a browser finds it."""
        return f"http://{HOST}:{self.port}"

    def start(self) -> None:
        self._thread.start()
        self._do(self._listen())

    def stop(self) -> None:
        """Reset everything and end."""
        self._do(self._set_mode(Mode.REFUSE, reset=True))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    # --- What can go wrong with a network ---

    def reset(self) -> None:
        """Reset (RST) every connection; new ones are taken."""
        self._do(self._reset_all())

    def refuse(self) -> None:
        """Reset every connection and refuse new ones, as without a network, until `restore`."""
        self._do(self._set_mode(Mode.REFUSE, reset=True))

    def swallow(self) -> None:
        """Let every connection, and each new one until `restore`, go silent for good: it stays
        open, nothing more is read and nothing forwarded."""
        self._do(self._swallow())

    def restore(self) -> None:
        """Take and serve new connections again. What was swallowed stays so."""
        self._do(self._set_mode(Mode.OPEN))

    def reshape(self, shape: Shape) -> None:
        """Another line for the connections to come; those that are there are reset."""
        self._do(self._reshape(shape))

    def wait_until_sent(self, length: int, *, since: int = 0, seconds: float = 30) -> None:
        """Return once `length` bytes have gone to the target after the count was `since`.
        AssertionError after `seconds`."""
        self._wait("sent", length, since, seconds)

    def wait_until_received(self, length: int, *, since: int = 0, seconds: float = 30) -> None:
        """The same for bytes that came back from it."""
        self._wait("received", length, since, seconds)

    def _wait(self, counter: str, length: int, since: int, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while (moved := getattr(self, counter) - since) < length:
            if time.monotonic() > deadline:
                raise AssertionError(f"{moved} of {length} bytes {counter} in {seconds} s")
            time.sleep(0.002)

    # --- On its own thread ---

    def _do(self, step: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(step, self._loop).result(10)

    async def _listen(self) -> None:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        listener.setblocking(False)
        listener.bind((HOST, self.port))
        listener.listen(128)
        self._listener = listener
        self._accepting = self._loop.create_task(self._accept(listener))

    async def _accept(self, listener: socket.socket) -> None:
        while True:
            client, _address = await self._loop.sock_accept(listener)
            self.opened += 1
            connection = _Connection(client)
            self._connections.add(connection)
            if self._mode is Mode.OPEN:
                connection.task = self._loop.create_task(self._serve(connection))

    async def _set_mode(self, mode: Mode, *, reset: bool = False) -> None:
        if mode is Mode.REFUSE and self._listener and self._accepting:
            await _end(self._accepting)
            self._listener.close()
            self._listener = None
        self._mode = mode
        if reset:
            await self._reset_all()
        if mode is not Mode.REFUSE and self._listener is None:
            await self._listen()

    async def _swallow(self) -> None:
        await self._set_mode(Mode.SWALLOW)
        for connection in self._connections:
            await _end(connection.task)

    async def _reshape(self, shape: Shape) -> None:
        await self._reset_all()
        self.shape, self._up, self._down = shape, _Link(shape), _Link(shape)

    async def _reset_all(self) -> None:
        for connection in list(self._connections):
            await _end(connection.task)
            self._close(connection, reset=True)

    async def _serve(self, connection: _Connection) -> None:
        storage = socket.socket()
        connection.storage = storage
        storage.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER)
        for end in (connection.client, storage):
            end.setblocking(False)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            await self._loop.sock_connect(storage, self.target)
            # The kernel greeted the client at once; over a line that takes a round trip.
            await asyncio.sleep(self.shape.round_trip)
            async with asyncio.TaskGroup() as both:
                both.create_task(self._relay(connection.client, storage, self._up, "sent"))
                both.create_task(self._relay(storage, connection.client, self._down, "received"))
        except* OSError:
            self._close(connection, reset=True)
        else:
            self._close(connection)

    async def _relay(
        self, source: socket.socket, target: socket.socket, link: _Link, counter: str
    ) -> None:
        piece = _SHAPED_PIECE if self.shape.bits_per_second else _PIECE
        # What is on the line: a round trip's worth, so that one connection can fill it.
        on_line = self.shape.bits_per_second / 8 * self.shape.round_trip
        line: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(4 + int(on_line / piece))

        async def arrive() -> None:
            while True:
                due, data = await line.get()
                if due > self._loop.time():
                    await asyncio.sleep(due - self._loop.time())
                if not data:
                    target.shutdown(socket.SHUT_WR)
                    return
                await self._loop.sock_sendall(target, data)
                setattr(self, counter, getattr(self, counter) + len(data))

        async with asyncio.TaskGroup() as group:
            group.create_task(arrive())
            while True:
                data = await self._loop.sock_recv(source, piece)
                await link.carry(len(data))
                await line.put((self._loop.time() + self.shape.delay, data))
                if not data:
                    return

    def _close(self, connection: _Connection, *, reset: bool = False) -> None:
        self._connections.discard(connection)
        for end in (connection.client, connection.storage):
            if end is None:
                continue
            if reset and end.fileno() >= 0:
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            end.close()


async def _end(task: asyncio.Task[None] | None) -> None:
    if task is not None:
        task.cancel()
        await asyncio.wait([task])


@contextmanager
def running_proxy(port: int, target_port: int, shape: Shape = UNSHAPED) -> Iterator[Proxy]:
    """A proxy from `port` to `target_port`, both on 127.0.0.1."""
    proxy = Proxy(port, (HOST, target_port), shape)
    proxy.start()
    try:
        yield proxy
    finally:
        proxy.stop()
