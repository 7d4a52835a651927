"""The socket between an eKuiper engine and its plugin: the REQ side of nng's request/reply protocol over a Unix socket.

eKuiper turns the roles round: the plugin sends "handshake" as its first request, the engine "answers" with a call, and the
plugin sends the result as its next request. After a new connection it starts with a handshake again, at which the engine
repeats the call that it still waits for; so a call outlives the process that had it.
"""
import select
import socket
import struct

HELLO_REQ = b"\x00SP\x00\x00\x30\x00\x00"
HELLO_REP = b"\x00SP\x00\x00\x31\x00\x00"
MESSAGE = 1  # the only kind of frame
RETRY_SECONDS = 0.1


class Channel:
    """One connection to the engine, made when the engine listens and made anew when it breaks."""

    def __init__(self, path):
        self.path = path
        self.socket = None
        self.request_id = 0

    def step(self, answer, other, seconds):
        """Answers one call of the engine, if one comes within `seconds`.

        Returns False as soon as the socket `other` has something to say, which is the end of its peer.
        """
        if self.socket is None and not self._connect():
            seconds = min(seconds, RETRY_SECONDS)
        waiting = [other] if self.socket is None else [other, self.socket]
        ready, _, _ = select.select(waiting, [], [], seconds)
        if other in ready:
            return False
        if ready:
            try:
                request = self._receive()
                if request is not None:
                    self._send(answer(request))
            except OSError:
                self.close()
        return True

    @property
    def connected(self):
        return self.socket is not None

    def close(self):
        if self.socket is not None:
            self.socket.close()
            self.socket = None

    def _connect(self):
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.settimeout(5)  # of a hello, and for each chunk of a message
            connection.connect(self.path)
            self.socket = connection
            connection.sendall(HELLO_REQ)
            if self._read(len(HELLO_REP)) != HELLO_REP:
                raise OSError("%s is not an eKuiper engine's socket" % self.path)
            self._send(b"handshake")
            return True
        except OSError:  # nobody listens yet, or not any more
            self.socket = None
            connection.close()
            return False

    def _send(self, body):
        self.request_id = (self.request_id + 1) & 0x7FFFFFFF
        head = struct.pack(">BQI", MESSAGE, len(body) + 4, self.request_id | 0x80000000)
        self.socket.sendall(head + body)

    def _receive(self):
        """The next call, or None for one that belongs to an earlier request."""
        kind, size = struct.unpack(">BQ", self._read(9))
        if kind != MESSAGE or size < 4:
            raise OSError("Not a message of the engine")
        message = self._read(size)
        request_id = struct.unpack_from(">I", message)[0] & 0x7FFFFFFF
        return message[4:] if request_id == self.request_id else None

    def _read(self, size):
        buffer = bytearray(size)
        view, done = memoryview(buffer), 0
        while done < size:
            count = self.socket.recv_into(view[done:])
            if count == 0:
                raise OSError("The engine closed the connection")
            done += count
        return bytes(buffer)
