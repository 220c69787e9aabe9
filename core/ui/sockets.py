"""Answers that leave at once: the server's listening sockets in, the same ones without Nagle's algorithm out.

Streamlit binds its socket in a way in which asyncio does not switch the algorithm off. An answer goes out in two
pieces, head and body, and the second then waits for the other side to acknowledge the first: 40 ms on Linux. Accepted
connections take the setting over from the socket that listens.
"""

from __future__ import annotations

import os
import socket
import threading
import time

import psutil

EVERY_S, LIMIT_S = 0.1, 30.0


def send_at_once() -> int:
    """Set TCP_NODELAY on every socket of this process that listens; how many there are."""
    found = 0
    for one in psutil.Process().net_connections("tcp"):
        if one.status == psutil.CONN_LISTEN and one.fd >= 0:
            with socket.socket(fileno=os.dup(one.fd)) as listening:
                listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            found += 1
    return found


def start() -> None:
    """Do so as soon as the server listens, without keeping it from that."""

    def wait() -> None:
        limit = time.monotonic() + LIMIT_S
        while not send_at_once() and time.monotonic() < limit:
            time.sleep(EVERY_S)

    threading.Thread(target=wait, name="bearings-sockets", daemon=True).start()
