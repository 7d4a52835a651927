"""Asks the labeler over one kept connection, again and again within eKuiper's time, and says what eKuiper shall get."""
import base64
import http.client
import json
import sys
import time
from urllib.parse import urlsplit

TIMEOUT = 4.5  # seconds; eKuiper gives a call 5 (portable.recvTimeout)
FIRST_PAUSE = 0.05
LONGEST_PAUSE = 1.0
LAST_TRY = 0.5  # seconds kept for the last try
SHORTEST_TRY = 0.45
TRY_AGAIN = (429, 500, 502, 503, 504)


class Failure(Exception):
    """The labeler gave no labels, for the reason in the message."""


class LabelerClient:
    """One for each function; the engine calls it with one image at a time."""

    def __init__(self, config, function):
        self.config = config
        self.function = function
        self.connection = None
        self.target = None

    def label(self, image):
        """The reply to a call with an image in base64.

        labelImage(self) gives the labels best first, or one entry that has no label but an error. Every other function
        gives what the service of that name gives: an object with label, confidence, results, error and model.

        With "onError": "fail" in the settings an error fails the call instead: eKuiper drops the row and counts it.
        """
        settings = {}
        try:
            settings = self.config.read()
            answer = self._ask(_decode(image, self.function), settings)
            return b'{"state":true,"result":' + answer + b"}"
        except (Failure, ValueError) as error:
            message = str(error)
            print("labeler: " + message, file=sys.stderr, flush=True)
            if settings.get("onError") == "fail":
                return json.dumps({"state": False, "result": message}).encode()
            entry = {"confidence": 0, "label": "", "error": message}
            result = [entry] if self._is_tutorials else dict(entry, results=[])
            return json.dumps({"state": True, "result": result}).encode()

    @property
    def _is_tutorials(self):
        """Whether this is the function of eKuiper's tutorial, which gives an array."""
        return self.function == "labelImage"

    def _target(self, settings):
        """The path with its query, and the headers that say how to label."""
        if self._is_tutorials:
            return "/label" + ("?" + settings["query"] if settings.get("query") else ""), {}
        query = (settings.get("functions") or {}).get(self.function)
        if query is None:
            raise Failure('%s(self) has no parameters: put {"functions": {"%s": "model=NAME"}} into config.json' % (self.function, self.function))
        return "/ekuiper/labelImage", {"X-Label-Query": query}

    def _ask(self, image, settings):
        url = urlsplit(settings["url"])
        if url.scheme not in ("http", "https") or not url.hostname:
            raise Failure("The labeler's url is not http://HOST:PORT or https://HOST: %s" % settings["url"])
        target, headers = self._target(settings)
        path = url.path.rstrip("/") + target
        headers.update({"Content-Type": "application/octet-stream", "Accept": "application/json"})
        if settings.get("token"):
            headers["Authorization"] = "Bearer " + settings["token"]

        deadline = time.monotonic() + float(settings.get("timeout", TIMEOUT))
        pause = FIRST_PAUSE
        reason = "no time"
        while True:
            left = deadline - time.monotonic()
            if left < SHORTEST_TRY:
                raise Failure("The labeler at %s did not answer in time: %s" % (settings["url"], reason))
            reused = self._connect(url, left)
            try:
                self.connection.request("POST", path, image, headers)
                response = self.connection.getresponse()
                body = response.read()
            except (OSError, http.client.HTTPException) as error:
                self._drop()
                reason = "%s %s" % (type(error).__name__, error)
                if reused:
                    continue  # the labeler had closed the idle connection
                asked = None
            else:
                if response.status == 200:
                    return _checked(body, list if self._is_tutorials else dict)
                reason = _problem(response.status, body)
                if response.status not in TRY_AGAIN:
                    raise Failure(reason)
                asked = _seconds(response.headers.get("Retry-After"))
            wait = pause if asked is None else max(pause, asked)
            # One last try just before the end is worth more than a pause that nothing follows.
            time.sleep(max(0.0, min(wait, deadline - time.monotonic() - LAST_TRY)))
            pause = min(2 * pause, LONGEST_PAUSE)

    def _connect(self, url, seconds):
        """Makes a connection unless there is one; True for one that has served before."""
        target = (url.scheme, url.hostname, url.port)
        if self.target != target:
            self._drop()
        if self.connection is not None:
            self.connection.timeout = seconds
            if self.connection.sock is not None:
                self.connection.sock.settimeout(seconds)
                return True
            return False  # the labeler asked for a new connection; http.client makes it
        kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
        self.connection = kind(url.hostname, url.port, timeout=seconds)
        self.target = target
        return False

    def _drop(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None


def _decode(image, function):
    """eKuiper hands a binary column over as base64; a text column with base64 in it looks the same."""
    if not image:
        raise Failure("%s(self) got no image: give it a column of binary data, or of base64 text" % function)
    if image.startswith(b"data:"):
        image = image.partition(b",")[2]
    try:
        return base64.b64decode(image)
    except ValueError as error:
        raise Failure("%s(self) got neither binary data nor base64: %s" % (function, error))


def _checked(body, kind):
    """The body, which has to be JSON of a list or of an object."""
    try:
        answer = json.loads(body)
    except ValueError:
        answer = None
    if not isinstance(answer, kind):
        expected = "array" if kind is list else "object"
        raise Failure("What answers there is no labeler: its reply is not a JSON %s" % expected)
    return body


def _problem(status, body):
    """The status and the detail of an RFC 9457 problem, or the start of whatever came."""
    try:
        problem = json.loads(body)
        detail = problem.get("detail") or problem.get("title") or ""
    except (ValueError, AttributeError):
        detail = body[:200].decode("utf-8", "replace").strip()
    return ("%d %s" % (status, detail)).strip()


def _seconds(retry_after):
    try:
        return float(retry_after)
    except (TypeError, ValueError):
        return None
