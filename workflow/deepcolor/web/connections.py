"""Connections of the web server that send slowly, or nothing: when they are closed, and which first.

Waitress closes silent connections, but not those that send a byte now and then: enough of them take all
places. Here a whole request, headers and content, has a deadline. When places run out, the connection
that has been without a whole request for longest is closed.
"""

import time
from collections import Counter
from ipaddress import ip_address
from typing import Any

from waitress.channel import HTTPChannel

# Seconds that a whole request may take, and bytes a second at which it may take longer.
READING, LEAST_RATE = 20.0, 20_000
SWEEP = 1.0  # Seconds between looks at deadlines.


class Channel(HTTPChannel):
    """A connection that knows how long it has waited for a whole request.

    Attributes:
        since: Time when it was opened, or when its last request was complete (`time.monotonic`).
        begun: Time when the request that is being received began.
        size: Bytes of that request received so far.
        network: Address of the sender, of which an IPv6 sender has 64 bits.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        """Take a connection over, as Waitress calls it."""
        super().__init__(*args, **options)
        self.since = self.begun = time.monotonic()
        self.size = 0
        address = ip_address(str(self.addr[0]).partition("%")[0])
        self.network = address.exploded[:19] if address.version == 6 else str(address)

    def received(self, data: bytes) -> bool:
        """Take what has come, and note when a request begins and when it is complete."""
        before, waiting = self.request, len(self.requests)
        going_on = bool(super().received(data))
        self.size += len(data)
        if self.request is not before:
            self.begun, self.size = time.monotonic(), 0
        if len(self.requests) > waiting:
            self.since = time.monotonic()
        return going_on

    @property
    def is_busy(self) -> bool:
        """Whether a request is being answered."""
        return bool(self.requests)

    def is_late(self, now: float, idle: float) -> bool:
        """Whether a request has taken too long, or none has come for too long.

        Args:
            now: Time (`time.monotonic`).
            idle: Seconds that a connection may stay without a request.
        """
        if self.requests or self.total_outbufs_len:  # What is sent meanwhile is not read.
            self.since = self.begun = now
            return False
        if self.request is not None:
            return now - self.begun > READING + self.size / LEAST_RATE
        return now - self.since > idle


class Places:
    """The connections of a server, of which there are never more than a number."""

    def __init__(self, server: Any, most: int, idle: float) -> None:
        """Watch over a server of Waitress.

        Args:
            server: Of `waitress.create_server`, with `connection_limit` two higher than `most`.
            most: Connections at a time.
            idle: Seconds that a connection may stay without a request.
        """
        self._server, self._most, self._idle = server, most, idle
        self._spare = max(1, min(64, most // 16))
        self._swept = 0.0
        self._accept = server.handle_accept
        server.channel_class = Channel
        server.handle_accept = self._accept_several

    def _accept_several(self) -> None:
        """Accept as many connections as there are spare places: one a turn would be slow in a rush."""
        channels = self._server.active_channels
        for _ in range(self._spare):
            count = len(channels)
            if count < self._most:
                self._accept()
            if len(channels) == count:
                return

    def clear(self) -> None:
        """Close connections whose time is up, and make room for new ones."""
        channels: list[Channel] = list(self._server.active_channels.values())
        now = time.monotonic()
        if now - self._swept >= SWEEP:
            self._swept = now
            for channel in channels:
                if channel.is_late(now, self._idle):
                    channel.will_close = True
        surplus = len(channels) - (self._most - self._spare)
        if surplus > 0:
            closing = sum(channel.will_close for channel in channels)
            for channel in self._dispensable(channels)[: max(0, surplus - closing)]:
                channel.will_close = True

    @staticmethod
    def _dispensable(channels: list[Channel]) -> list[Channel]:
        """The connections that may be closed, the first to go first.

        Those of the address with the most go first, and of these the one that has waited longest.
        """
        idle = [each for each in channels if not each.is_busy and not each.will_close]
        counts = Counter(each.network for each in channels)
        ranks = Counter[str]()
        order: list[tuple[int, int, Channel]] = []
        for each in sorted(idle, key=lambda each: (bool(each.total_outbufs_len), each.since)):
            # As many would be left of its address if it were the next to go.
            order.append((ranks[each.network] - counts[each.network], len(order), each))
            ranks[each.network] += 1
        return [each for _, _, each in sorted(order, key=lambda entry: entry[:2])]
