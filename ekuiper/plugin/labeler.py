"""eKuiper starts this file: SQL functions such as labelImage(self), answered by the Edge Labeler over HTTP.

It needs Python 3.7 or newer and nothing else: the engine's own socket protocol is in channel.py.
"""
import json

import guardian

def answer_control(_request):
    """The engine starts and stops functions by name; those here are always at work."""
    return b"ok"


def function_answers():
    """What answers the engine's calls, by function. Imported late: the guardian does without HTTP and its memory."""
    from client import LabelerClient
    from config import Config

    config = Config()
    return {name: answer_of(name, LabelerClient(config, name)) for name in ["labelImage"] + config.functions()}


def answer_of(function, client):
    """What answers the engine's calls of one function."""

    def answer(request):
        image = image_of(request)
        if image is not None:
            return client.label(image)
        call = json.loads(request)
        name, args = call["func"], call.get("arg") or []
        if name == "Exec":  # the last argument says which rule asks
            return client.label(args[0].encode() if len(args) == 2 and isinstance(args[0], str) else b"")
        if name == "Validate":
            return reply(len(args) == 1, "%s takes one argument, the image: %s(self)" % (function, function))
        if name == "IsAggregate":
            return reply(True, False)
        return reply(False, "%s has no %s" % (function, name))

    return answer


CALL = b'{"func":"Exec","arg":["'


def image_of(request):
    """The first argument of a call as eKuiper writes it, cut out: reading the JSON takes a third of the time of a call."""
    if not request.startswith(CALL):
        return None
    end = request.find(b'"', len(CALL))
    image = request[len(CALL) : end]
    return image if request[end : end + 3] == b'","' and b"\\" not in image else None


def reply(state, result):
    return json.dumps({"state": state, "result": result}).encode()


if __name__ == "__main__":
    guardian.run("/tmp/plugin_labeler.ipc", answer_control, "/tmp/func_%s.ipc", function_answers)
