"""Runs a program on a terminal of its own: terminal.py STEPS PROGRAM [ARGUMENT...]

STEPS is JSON: a list of [text to wait for, keys to send then]. Prints all that the program printed, and exits with its exit code; 97 when a text did not come.
"""
import fcntl
import json
import os
import pty
import select
import struct
import sys
import termios
import time

PATIENCE = 60


def main():
    steps = json.loads(sys.argv[1])
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvp(sys.argv[2], sys.argv[2:])
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 140, 0, 0))
    printed, seen = b"", 0
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        ready, _, _ = select.select([terminal], [], [], 0.2)
        if ready:
            try:
                piece = os.read(terminal, 65536)
            except OSError:
                piece = b""
            if piece == b"":
                break
            printed += piece
        if steps and steps[0][0].encode() in printed[seen:]:
            seen = len(printed)
            # A prompt reads keys a moment after it has drawn itself.
            time.sleep(0.2)
            for key in steps.pop(0)[1]:
                os.write(terminal, key.encode())
                time.sleep(0.1)
    else:
        os.kill(pid, 9)
    sys.stdout.buffer.write(printed)
    sys.stdout.flush()
    _, status = os.waitpid(pid, 0)
    if steps:
        print(f"\nnever came: {steps[0][0]!r}")
    sys.exit(97 if steps else os.waitstatus_to_exitcode(status))


main()
