"""A network in front of Redis that can swallow its replies."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit, urlunsplit

CHUNK = 65_536


class Proxy:
    """Passes on what clients and server say. While it swallows, commands arrive and nobody hears what became of them; a
    connection that has lost a reply is never heard of again, and nobody closes it."""

    def __init__(self, url: str) -> None:
        """`url` is the server's; clients take `self.url`."""
        parts = urlsplit(url)
        self._server = (parts.hostname or "127.0.0.1", parts.port or 6379)
        self.listener = socket.create_server(("127.0.0.1", 0))
        access = parts.netloc.rpartition("@")[0]
        here = f"127.0.0.1:{self.listener.getsockname()[1]}"
        self.url = urlunsplit(parts._replace(netloc=f"{access}@{here}" if access else here))
        self.swallows = False
        self.swallowed = 0

    def accept(self) -> None:
        """Serve whoever comes, until the listener is closed."""
        with suppress(OSError):  # closed
            while True:
                client, _ = self.listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, suppress(OSError), socket.create_connection(self._server) as server:
            for one in (client, server):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            back = threading.Thread(target=self._replies, args=(server, client), daemon=True)
            back.start()
            _pass_on(client, server)

    def _replies(self, server: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):
            while data := server.recv(CHUNK):
                if self.swallows:
                    self.swallowed += 1
                    return
                client.sendall(data)
            client.shutdown(socket.SHUT_RDWR)


@contextmanager
def in_front_of(url: str) -> Iterator[Proxy]:
    proxy = Proxy(url)
    threading.Thread(target=proxy.accept, name="proxy", daemon=True).start()
    with proxy.listener:
        yield proxy


def _pass_on(client: socket.socket, server: socket.socket) -> None:
    while data := client.recv(CHUNK):
        server.sendall(data)
