#!/usr/bin/env python3
"""Takes images from an MQTT broker and submits them to the labeler's POST /ekuiper/sink, one after the other.

An image is acknowledged to the broker only after the labeler has acknowledged it, and the session at the broker is kept,
so an image survives the labeler, the network, this program and, with a broker that saves to disk, the broker.
The labeler is told the device, the time at which the image arrived here, and its topic.
Python 3.7 or newer, no package. `mqtt_forward.py --help` says how to call it.
"""
import argparse
import http.client
import os
import re
import select
import socket
import struct
import sys
import time
import unicodedata
from urllib.parse import quote, unquote, urlencode, urlsplit

CONNECT, CONNACK, PUBLISH, PUBACK, SUBSCRIBE, SUBACK, PINGREQ, PINGRESP = 1, 2, 3, 4, 8, 9, 12, 13
KEEP_ALIVE = 30  # seconds
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 2.0
LABELER_TIMEOUT = 30  # seconds; a labeler that starts has its model to load
REFUSED_FOR_GOOD = (400, 413, 415, 422)  # the same image would be refused again
CLIENT_ID = "edge-labeler-forwarder"
DEVICE = "gateway"  # that of `npm run ekuiper -- install`
LONGEST_TOPIC = 512  # of what the labeler keeps of it, in UTF-16 code units


class Session:
    """A connection to the broker, for a client that the broker remembers."""

    def __init__(self, broker, client_id, topic):
        url = urlsplit(broker)
        secure = url.scheme in ("mqtts", "ssl", "tls")
        self.socket = socket.create_connection((url.hostname, url.port or (8883 if secure else 1883)), timeout=10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if secure:
            import ssl

            self.socket = ssl.create_default_context().wrap_socket(self.socket, server_hostname=url.hostname)
        flags, payload = 0, text(client_id)  # flags 0: the session is not a clean one
        if url.username is not None:
            flags, payload = flags | 0x80, payload + text(unquote(url.username))
        if url.password is not None:
            flags, payload = flags | 0x40, payload + text(unquote(url.password))
        self.send(CONNECT, 0, text("MQTT") + bytes((4, flags)) + struct.pack(">H", KEEP_ALIVE) + payload)
        kind, _, body = self.receive()
        if kind != CONNACK or body[1] != 0:
            raise OSError("The broker refused the connection: code %d" % body[1])
        self.send(SUBSCRIBE, 2, struct.pack(">H", 1) + text(topic) + b"\x01")
        self.heard = self.asked = time.monotonic()

    def send(self, kind, flags, body=b""):
        head, size = bytearray([kind << 4 | flags]), len(body)
        while True:
            size, digit = size >> 7, size & 0x7F
            head.append(digit | 0x80 if size else digit)
            if not size:
                break
        self.socket.sendall(bytes(head) + body)

    def receive(self):
        """The next packet: its kind, flags and body."""
        first, size, shift = self._read(1)[0], 0, 0
        while True:
            digit = self._read(1)[0]
            size |= (digit & 0x7F) << shift
            shift += 7
            if not digit & 0x80:
                break
        self.heard = time.monotonic()
        return first >> 4, first & 0x0F, self._read(size)

    def packets(self):
        """Every packet that the broker sends, for ever. Raises OSError when the connection is gone."""
        while True:
            self.ping()
            pending = getattr(self.socket, "pending", lambda: 0)()  # what TLS has read already
            if pending or select.select([self.socket], [], [], KEEP_ALIVE / 3)[0]:
                yield self.receive()
            elif time.monotonic() - self.heard > 1.5 * KEEP_ALIVE:
                raise OSError("The broker is silent")

    def ping(self):
        """Tells the broker that this client lives, if it is time to."""
        if time.monotonic() - self.asked > KEEP_ALIVE / 3:
            self.asked = time.monotonic()
            self.send(PINGREQ, 0)

    def _read(self, size):
        buffer, done = bytearray(size), 0
        while done < size:
            count = self.socket.recv_into(memoryview(buffer)[done:])
            if count == 0:
                raise OSError("The broker closed the connection")
            done += count
        return bytes(buffer)


class Labeler:
    """Submits images on one kept connection."""

    def __init__(self, url, token):
        self.url = urlsplit(url)
        self.token = token
        self.connection = None

    def submit(self, image, fields, meanwhile):
        """Returns once the labeler has the image, or will never take it; calls `meanwhile` while it waits.

        `fields` are the parameters of POST /ekuiper/sink. They go into the URL: a header holds no text but Latin-1.
        """
        headers = {"Content-Type": "application/octet-stream"}
        if self.token:
            headers["Authorization"] = "Bearer " + self.token
        path = self.url.path.rstrip("/") + "/ekuiper/sink?" + urlencode(fields, quote_via=quote)
        pause, complained = FIRST_PAUSE, None
        while True:
            status, reason = self._post(path, image, headers)
            if 200 <= status < 300:
                return
            if status in REFUSED_FOR_GOOD:
                name = fields.get("id") or "of topic " + fields["meta-topic"]
                say("Image %s is refused and dropped: %s" % (name, reason))
                return
            if reason != complained:
                say("The labeler does not take images: %s. Waiting for it." % reason)
                complained = reason
            meanwhile()
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    def _post(self, path, image, headers):
        """The status, or 0 for none, and what was wrong."""
        reused = self.connection is not None
        if not reused:
            kind = http.client.HTTPSConnection if self.url.scheme == "https" else http.client.HTTPConnection
            self.connection = kind(self.url.hostname, self.url.port, timeout=LABELER_TIMEOUT)
        try:
            self.connection.request("POST", path, image, headers)
            response = self.connection.getresponse()
            body = response.read()
            return response.status, "%d %s" % (response.status, body[:200].decode("utf-8", "replace"))
        except (OSError, http.client.HTTPException) as error:
            self.connection.close()
            self.connection = None
            if reused:  # the labeler had closed the idle connection
                return self._post(path, image, headers)
            return 0, "%s %s" % (type(error).__name__, error)


def forward(session, labeler, device, id_from_topic):
    for kind, flags, body in session.packets():
        if kind == SUBACK and body[2] == 0x80:
            raise SystemExit("The broker does not allow the subscription")
        if kind != PUBLISH:
            continue
        qos, size = flags >> 1 & 3, struct.unpack_from(">H", body)[0]
        topic = body[2 : 2 + size].decode("utf-8", "replace")
        start = 2 + size + (2 if qos else 0)
        fields = {"device": device, "time": int(time.time() * 1000), "meta-topic": kept_topic(topic)}
        if id_from_topic:
            fields["id"] = topic.rpartition("/")[2]
        labeler.submit(body[start:], fields, session.ping)
        if qos:
            session.send(PUBACK, 0, body[2 + size : start])


def kept_topic(topic):
    """A topic as the labeler takes it: no image shall be refused for its topic's length or characters."""
    printable = "".join(" " if unicodedata.category(char) == "Cc" else char for char in topic).replace("{{", "{ {")
    return printable.encode("utf-16-le")[: 2 * LONGEST_TOPIC].decode("utf-16-le", "ignore")


def text(value):
    encoded = value.encode("utf-8")
    return struct.pack(">H", len(encoded)) + encoded


def say(message):
    print(message, file=sys.stderr, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--broker", default="mqtt://127.0.0.1:1883", help="mqtt://USER:PASSWORD@HOST:PORT, or mqtts://")
    parser.add_argument("--topic", required=True, help="which messages are images, for example cameras/#")
    parser.add_argument("--labeler", required=True, help="its address, for example http://192.168.1.20:8787")
    parser.add_argument(
        "--device", default=DEVICE, help="what this gateway is called in the results, as in install (%(default)s)"
    )
    parser.add_argument(
        "--client-id",
        help="under it the broker keeps the session; no other client may have it (%s, with -NAME behind it for a --device NAME)"
        % CLIENT_ID,
    )
    parser.add_argument(
        "--id-from-topic", action="store_true", help="the topic's last level is the image's id, not its digest"
    )
    options = parser.parse_args()
    if not re.match(r"[\w.:-]{1,128}$", options.device, re.ASCII):
        parser.error("--device %s: letters, digits, dots, colons, dashes and underscores only" % options.device)
    # Two clients of one id throw each other out, so that each gateway has an id of its own.
    client_id = options.client_id or (CLIENT_ID if options.device == DEVICE else CLIENT_ID + "-" + options.device)
    labeler = Labeler(options.labeler, os.environ.get("LABELER_TOKEN"))
    while True:
        try:
            session = Session(options.broker, client_id, options.topic)
            say("Connected to %s" % urlsplit(options.broker).hostname)
            forward(session, labeler, options.device, options.id_from_topic)
        except OSError as error:
            say("%s. Connecting again." % error)
            time.sleep(1)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
