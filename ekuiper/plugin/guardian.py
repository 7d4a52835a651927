"""Keeps the plugin alive, since eKuiper never starts a killed one again: two processes, each of which replaces the other.

The guardian is what eKuiper has started. Its child, the worker, answers the calls. If the worker dies, the guardian forks
another. If the guardian dies, the worker takes its place and forks a worker, unless that was meant: eKuiper has removed
the plugin's folder, has started another guardian, or is gone itself.
"""
import os
import signal
import socket
import sys
import threading
import time
import traceback

from channel import Channel

CLAIM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "guardian.pid")
LOOK_SECONDS = 1.0
ENGINE_GONE_SECONDS = 10.0
HASTY_SECONDS = 1.0  # a worker that lives shorter than this is not replaced before
HASTY_PAUSE = 0.2  # seconds


def run(control_path, answer_control, function_path, make_answers):
    """Serves the engine's sockets; returns when the plugin is not wanted any more.

    make_answers() gives what answers the calls of each function, by its name; function_path % NAME is its socket.
    """
    engine = os.getppid()
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, _leave)
    _claim()
    while True:
        me = os.getpid()
        started = time.monotonic()
        mine, theirs = socket.socketpair()
        child = os.fork()
        if child == 0:
            mine.close()
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C on the engine is the guardian's business
            _work(function_path, make_answers(), theirs)
            theirs.close()
            if not (_claimed_by(me) and _is_alive(engine)):
                os._exit(0)
            _say("The guardian process %d died; its worker takes over." % me)
            _claim()
            continue
        theirs.close()
        if not _guard(Channel(control_path), answer_control, mine, engine):
            return
        mine.close()
        _, status = os.waitpid(child, 0)
        _say("The worker process %d ended with status %d; starting another." % (child, status))
        if time.monotonic() - started < HASTY_SECONDS:
            time.sleep(HASTY_PAUSE)


def _work(function_path, answers, guardian):
    """Answers the calls of all functions, each in a thread of its own, until the guardian is gone."""
    threads = [
        threading.Thread(target=_serve, args=(Channel(function_path % name), answer, guardian))
        for name, answer in answers.items()
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _serve(channel, answer, guardian):
    try:
        while channel.step(answer, guardian, LOOK_SECONDS):
            pass
        channel.close()
    except BaseException:
        traceback.print_exc()
        os._exit(1)  # the guardian starts another worker, with all functions


def _guard(channel, answer, worker, engine):
    """Returns True when the worker has died, False when the plugin is not wanted any more."""
    connected = time.monotonic()
    while channel.step(answer, worker, LOOK_SECONDS):
        if channel.connected:
            connected = time.monotonic()
        if not _claimed_by(os.getpid()):
            return False
        if not _is_alive(engine) or time.monotonic() - connected > ENGINE_GONE_SECONDS:
            _release()
            return False
    channel.close()
    return True


def _is_alive(pid):
    try:
        os.kill(pid, 0)
        return True
    except PermissionError:
        return True
    except ProcessLookupError:
        return False


def _claim():
    try:
        with open(CLAIM, "w") as file:
            file.write(str(os.getpid()))
    except OSError as error:
        _say("Cannot write %s: %s. A killed plugin will not come back." % (CLAIM, error))


def _claimed_by(pid):
    try:
        with open(CLAIM) as file:
            return file.read() == str(pid)
    except OSError:
        return False


def _release():
    try:
        os.remove(CLAIM)
    except OSError:
        pass


def _leave(_signal, _frame):
    _release()
    os._exit(0)


def _say(message):
    print("labeler: " + message, file=sys.stderr, flush=True)
