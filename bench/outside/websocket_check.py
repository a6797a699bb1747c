"""Conformance of the gateway's WebSocket endpoint, by a client that is not ours (`websockets` of PyPI).

Usage: websocket_check.py URL TICKET. Prints one line for each check and ends with 1 where one failed.
"""
import json
import struct
import sys

from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import Opcode
from websockets.sync.client import connect

URL, TICKET = sys.argv[1], sys.argv[2]
WAIT_S = 10
HELLO = json.dumps({"type": "hello", "protocol": "gaze-relay.v1", "ticket": TICKET, "resume": None, "client": "outside", "device": None})
failed = 0


def stream(**options):
    return connect(URL, subprotocols=["gaze-relay.v1"], open_timeout=WAIT_S, close_timeout=WAIT_S, **options)


def check(name, run):
    global failed
    try:
        found = run()
        print(f"ok    {name}: {found}")
    except Exception as error:  # each check is told, whatever it was
        failed += 1
        print(f"FAIL  {name}: {type(error).__name__}: {error}")


def close_code(act):
    """The code with which the gateway closes after `act`."""
    with stream() as socket:
        act(socket)
        try:
            while True:
                socket.recv(timeout=WAIT_S)
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd is not None else 1006


def expect(value, *allowed):
    if value not in allowed:
        raise AssertionError(f"{value}, not one of {allowed}")
    return value


def send_frame(socket, opcode, data, fin=True, rsv2=False):
    """Sends a frame as it is told to, allowed or not (RFC 6455, 5.2), with a mask of zeros."""
    size = len(data)
    length = bytes([size]) if size < 126 else b"\x7e" + struct.pack("!H", size) if size < 65536 else b"\x7f" + struct.pack("!Q", size)
    first = bytes([opcode | (0x80 if fin else 0) | (0x20 if rsv2 else 0)])
    with socket.protocol_mutex:
        socket.socket.sendall(first + bytes([length[0] | 0x80]) + length[1:] + bytes(4) + data)


def handshake():
    with stream() as socket:
        return f"subprotocol {socket.subprotocol}, extensions {[type(e).__name__ for e in socket.protocol.extensions]}"


def ping():
    with stream() as socket:
        if not socket.ping(b"x" * 125).wait(WAIT_S):
            raise AssertionError("no pong")
        return "pong with 125 bytes"


def hello_in_fragments():
    with stream() as socket:
        socket.send(iter([HELLO[:10], HELLO[10:50], "", HELLO[50:]]))
        return expect(json.loads(socket.recv(timeout=WAIT_S))["type"], "welcome")


def ping_between_fragments():
    with stream() as socket:
        send_frame(socket, Opcode.TEXT, b'{"type":', fin=False)
        pong = socket.ping()
        if not pong.wait(WAIT_S):
            raise AssertionError("no pong between fragments")
        return "pong"


def own_close():
    with stream() as socket:
        socket.close(1000, "done")
        return expect(socket.close_code, 1000)


def wrong_path():
    try:
        connect(URL.rsplit("/", 1)[0] + "/nothing", open_timeout=WAIT_S)
    except InvalidStatus as refused:
        return expect(refused.response.status_code, 404, 426)
    raise AssertionError("a socket opened there")


check("handshake", handshake)
check("ping", ping)
check("ping between fragments", ping_between_fragments)
check("hello in fragments, one of them empty", hello_in_fragments)
check("close by the client", own_close)
check("another path", wrong_path)
check("text that is no UTF-8", lambda: expect(close_code(lambda s: send_frame(s, Opcode.TEXT, b"\xff\xfe")), 1007))
check("continuation of nothing", lambda: expect(close_code(lambda s: send_frame(s, Opcode.CONT, b"x")), 1002))
check("reserved opcode", lambda: expect(close_code(lambda s: send_frame(s, 3, b"x")), 1002))
check("reserved bit", lambda: expect(close_code(lambda s: send_frame(s, Opcode.TEXT, b"x", rsv2=True)), 1002))
check("fragmented ping", lambda: expect(close_code(lambda s: send_frame(s, Opcode.PING, b"x", fin=False)), 1002))
check("ping of 126 bytes", lambda: expect(close_code(lambda s: send_frame(s, Opcode.PING, b"x" * 126)), 1002))
check("message of 8 MB", lambda: expect(close_code(lambda s: send_frame(s, Opcode.BINARY, b"x" * 8_000_000)), 1009))
check("binary before hello", lambda: expect(close_code(lambda s: s.send(b"x" * 20)), 4400))
check("text that is no JSON", lambda: expect(close_code(lambda s: s.send("{")), 4400))
check("close with a reserved code", lambda: expect(close_code(lambda s: send_frame(s, Opcode.CLOSE, b"\x03\xed")), 1002))
sys.exit(1 if failed > 0 else 0)
