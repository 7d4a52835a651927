"""eKuiper starts this file: SQL function labelImage(self), answered by the Edge Labeler over HTTP.

It needs Python 3.7 or newer and nothing else: the engine's own socket protocol is in channel.py.
"""
import json

import guardian

FUNCTION = "labelImage"


def answer_control(_request):
    """The engine starts and stops functions by name; the only one here is always at work."""
    return b"ok"


def function_answers():
    """The function that answers the engine's calls. Imported late: the guardian does without HTTP and its memory."""
    from client import LabelerClient
    from config import Config

    client = LabelerClient(Config())

    def answer(request):
        call = json.loads(request)
        name, args = call["func"], call.get("arg") or []
        if name == "Exec":  # the last argument says which rule asks
            return client.label(args[:-1])
        if name == "Validate":
            return reply(len(args) == 1, "labelImage takes one argument, the image: labelImage(self)")
        if name == "IsAggregate":
            return reply(True, False)
        return reply(False, "labelImage has no " + str(name))

    return answer


def reply(state, result):
    return json.dumps({"state": state, "result": result}).encode()


if __name__ == "__main__":
    guardian.run("/tmp/plugin_labeler.ipc", answer_control, "/tmp/func_%s.ipc" % FUNCTION, function_answers)
