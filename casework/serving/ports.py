"""Is this port ours to listen on?"""

from __future__ import annotations

import errno
import socket

from data.errors import InputError

HOST = "127.0.0.1"


def listen(port: int, option: str) -> socket.socket:
    """A listening socket on the loopback address; port 0 takes any free one. InputError if it is taken."""
    # asyncio switches Nagle's delay (40 ms an answer) off only where the protocol is named.
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((HOST, port))
        bound.listen(512)
    except (OSError, OverflowError) as error:
        bound.close()
        raise _refusal(port, option, error) from error
    bound.set_inheritable(False)
    return bound


def free(port: int, option: str) -> int:
    """A port that a child can listen on a moment later (0 asks for any); InputError if it is taken."""
    with listen(port, option) as bound:
        return int(bound.getsockname()[1])


def _refusal(port: int, option: str, error: OSError | OverflowError) -> InputError:
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        what, hint = "this port is in use", f"Stop what listens there, or choose another with {option} PORT."
    elif isinstance(error, OSError) and error.errno == errno.EACCES:
        what, hint = "this port needs more rights than we have", f"Choose one above 1023 with {option} PORT."
    else:
        what, hint = "this is not a port", f"Give {option} a number from 0 to 65535."
    return InputError(what, where=f"{HOST}:{port}", hint=hint)
