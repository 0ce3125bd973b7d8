"""Scanners for tests: one that does as it is told, and ClamAV's own daemon."""

import os
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import pytest

#: The test file of the European Institute for Computer Antivirus Research (eicar.org), written so
#: that this one is none.
EICAR = (b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR" + b"-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*").strip()
HOST = "127.0.0.1"
LIMIT = 10 * 1024 * 1024
FILE_LIMIT = 8 * 1024 * 1024

_START_SECONDS = 60


@dataclass
class FakeScanner:
    """Speaks clamd's protocol, keeps what it was sent and answers `reply` (None: nothing at all).

    Beyond `limit` bytes it answers `early` and closes, as clamd does. `before_reply` is called
    between the last byte and the answer."""

    reply: bytes | None = b"stream: OK\0"
    pong: bytes = b"PONG\0"
    limit: int = 2**40
    early: bytes = b"INSTREAM size limit exceeded. ERROR\0"
    before_reply: Callable[[], object] = lambda: None
    streams: list[bytes] = field(default_factory=list)
    chunks: list[int] = field(default_factory=list)
    connections: int = 0
    _listener: socket.socket = field(default_factory=lambda: socket.create_server((HOST, 0)))

    @property
    def url(self) -> str:
        return f"clamd://{HOST}:{self._listener.getsockname()[1]}"

    def serve(self) -> None:
        with suppress(OSError):  # the listener is closed at the end
            while True:
                connection, _ = self._listener.accept()
                self.connections += 1
                threading.Thread(target=self._talk, args=[connection], daemon=True).start()

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _talk(self, connection: socket.socket) -> None:
        connection.settimeout(20)
        with connection, connection.makefile("rb") as reader, suppress(OSError, struct.error):
            self._answer(connection, reader)

    def _answer(self, connection: socket.socket, reader: BinaryIO) -> None:
        command = b""
        while not command.endswith(b"\0"):
            command += reader.read(1)
        if command == b"zPING\0":
            connection.sendall(self.pong)
            return
        assert command == b"zINSTREAM\0"
        content = bytearray()
        while length := struct.unpack(">I", reader.read(4))[0]:
            self.chunks.append(length)
            if len(content) + length > self.limit:
                connection.sendall(self.early)
                return
            content += reader.read(length)
        self.streams.append(bytes(content))
        self.before_reply()
        if self.reply is not None:
            connection.sendall(self.reply)


@contextmanager
def fake_scanner(**behaviour: object) -> Iterator[FakeScanner]:
    """A `FakeScanner` that runs meanwhile."""
    scanner = FakeScanner(**behaviour)  # type: ignore[arg-type]
    thread = threading.Thread(target=scanner.serve, daemon=True)
    thread.start()
    try:
        yield scanner
    finally:
        scanner.close()
        thread.join(5)


@dataclass
class Clamd:
    """ClamAV's daemon with a signature database of its own, which knows EICAR alone."""

    program: str
    directory: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"clamd://{HOST}:{self.port}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        config = self._write_config()
        with (self.directory / "clamd.log").open("ab") as log:
            command = [self.program, f"--config-file={config}"]
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        deadline = time.monotonic() + _START_SECONDS
        while not self._answers():
            said = (self.directory / "clamd.log").read_text()
            assert self.process.poll() is None, said
            assert time.monotonic() < deadline, said
            time.sleep(0.1)

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None

    def _answers(self) -> bool:
        try:
            with socket.create_connection((HOST, self.port), 2) as connection:
                connection.sendall(b"zPING\0")
                return connection.recv(10) == b"PONG\0"
        except OSError:
            return False

    def _write_config(self) -> Path:
        """Nothing of the system's own: no database, no log, no socket beside the one."""
        database = self.directory / "database"
        database.mkdir(exist_ok=True)
        (database / "test.ndb").write_text(f"Test.Eicar:0:*:{EICAR.hex()}\n")
        options = {
            "Foreground": "yes",
            "TCPSocket": self.port,
            "TCPAddr": HOST,
            "DatabaseDirectory": database,
            "TemporaryDirectory": self.directory,
            "StreamMaxLength": LIMIT,
            "MaxFileSize": FILE_LIMIT,
            "AlertExceedsMax": "yes",
        } | ({"User": "root"} if os.geteuid() == 0 else {})
        config = self.directory / "clamd.conf"
        config.write_text("".join(f"{name} {value}\n" for name, value in options.items()))
        return config


@contextmanager
def clamd_or_skip() -> Iterator[Clamd]:
    """A running clamd. Without one the test is skipped, or fails where `REQUIRE_CLAMD=1`."""
    program = find_clamd()
    if program is None:
        reason = "no clamd was found (set CLAMD, or install clamav-daemon)"
        if os.environ.get("REQUIRE_CLAMD") == "1":
            pytest.fail(f"REQUIRE_CLAMD=1, but {reason}")
        pytest.skip(reason)
    with tempfile.TemporaryDirectory(prefix="filevault-clamd-") as directory:
        scanner = Clamd(program, Path(directory), _free_port())
        try:
            scanner.start()
            yield scanner
        finally:
            scanner.stop()


def find_clamd() -> str | None:
    """The path of ClamAV's daemon: `CLAMD`, or found on PATH and where Debian puts it."""
    named = os.environ.get("CLAMD")
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"])
    return shutil.which(named or "clamd", path=path)


def _free_port() -> int:
    with socket.create_server((HOST, 0)) as listener:
        return int(listener.getsockname()[1])
