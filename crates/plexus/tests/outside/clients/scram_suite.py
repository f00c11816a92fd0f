"""Authenticates itself by SCRAM over MQTT 5.0 AUTH, with nothing but sockets and hashlib.

usage: scram_suite.py PORT USER PASSWORD METHOD
"""

import base64
import hashlib
import hmac
import os
import socket
import struct
import sys

PATIENCE = 20
PORT, USER, PASSWORD, METHOD = int(sys.argv[1]), sys.argv[2], sys.argv[3].encode(), sys.argv[4]
DIGEST = {"SCRAM-SHA-256": "sha256", "SCRAM-SHA-512": "sha512"}[METHOD]
CONNECT, CONNACK, PUBLISH, PUBACK, DISCONNECT, AUTH = 0x10, 0x20, 0x32, 0x40, 0xE0, 0xF0
GO_ON, AGAIN, NOT_AUTHORIZED, BAD_METHOD = 0x18, 0x19, 0x87, 0x8C


def text(value):
    value = value.encode() if isinstance(value, str) else value
    return struct.pack(">H", len(value)) + value


def properties(method, data):
    body = b"\x15" + text(method) + (b"" if data is None else b"\x16" + text(data))
    assert len(body) < 16384
    return length(len(body)) + body


def length(number):
    out = b""
    while True:
        number, digit = number >> 7, number & 127
        out += bytes([digit | (128 if number else 0)])
        if not number:
            return out


class Wire:
    def __init__(self):
        self.socket = socket.create_connection(("127.0.0.1", PORT), timeout=PATIENCE)
        self.reader = self.socket.makefile("rb")

    def send(self, head, body):
        self.socket.sendall(bytes([head]) + length(len(body)) + body)

    def receive(self):
        head = self.reader.read(1)
        if not head:
            return None, b""
        size, shift = 0, 0
        while True:
            digit = self.reader.read(1)[0]
            size, shift = size | (digit & 127) << shift, shift + 7
            if digit < 128:
                break
        return head[0], self.reader.read(size)

    def connect(self, client, method, data, user=None):
        flags = 0x02 | (0x80 if user else 0)
        body = text("MQTT") + bytes([5, flags]) + struct.pack(">H", 60)
        body += properties(method, data) + text(client) + (text(user) if user else b"")
        self.send(CONNECT, body)

    def auth(self, reason, method, data):
        self.send(AUTH, bytes([reason]) + properties(method, data))

    def works(self):
        """Whether a message is acknowledged."""
        self.send(PUBLISH, text("a") + struct.pack(">H", 1) + b"\x00x")
        head, body = self.receive()
        return head == PUBACK and body[:2] == b"\x00\x01"


def said(body, at):
    """The properties behind a reason: method and data."""
    size, shift = 0, 0
    while True:
        digit = body[at]
        size, shift, at = size | (digit & 127) << shift, shift + 7, at + 1
        if digit < 128:
            break
    end, found = at + size, {}
    fixed = {0x11: 4, 0x13: 2, 0x21: 2, 0x22: 2, 0x24: 1, 0x25: 1, 0x27: 4, 0x28: 1, 0x29: 1, 0x2A: 1}
    while at < end:
        kind, at = body[at], at + 1
        if kind in fixed:
            at += fixed[kind]
            continue
        size = struct.unpack(">H", body[at:at + 2])[0]
        found[kind], at = body[at + 2:at + 2 + size], at + 2 + size
    return found.get(0x15, b"").decode(), found.get(0x16, b"").decode()


class Proof:
    """The client's side of RFC 5802."""

    def __init__(self, user=USER, password=PASSWORD):
        self.nonce = base64.b64encode(os.urandom(18)).decode()
        self.password = password
        user = user.replace("=", "=3D").replace(",", "=2C")
        self.bare = "n=%s,r=%s" % (user, self.nonce)
        self.first = "n,," + self.bare

    def last(self, server_first):
        parts = dict(part.split("=", 1) for part in server_first.split(","))
        assert parts["r"].startswith(self.nonce) and len(parts["r"]) > len(self.nonce) + 16, parts
        self.salt, iterations = base64.b64decode(parts["s"]), int(parts["i"])
        salted = hashlib.pbkdf2_hmac(DIGEST, self.password, self.salt, iterations)
        sign = lambda key, message: hmac.new(key, message, DIGEST).digest()
        client_key = sign(salted, b"Client Key")
        without = "c=biws,r=" + parts["r"]
        message = ",".join([self.bare, server_first, without]).encode()
        signature = sign(hashlib.new(DIGEST, client_key).digest(), message)
        proof = bytes(one ^ other for one, other in zip(client_key, signature))
        self.expected = "v=" + base64.b64encode(sign(sign(salted, b"Server Key"), message)).decode()
        return without + ",p=" + base64.b64encode(proof).decode()


def challenged(wire, proof):
    head, body = wire.receive()
    assert head == AUTH and body[0] == GO_ON, (head, body)
    method, data = said(body, 1)
    assert method == METHOD, method
    return proof.last(data)


def log_in(client, user=None):
    wire, proof = Wire(), Proof()
    wire.connect(client, METHOD, proof.first, user)
    wire.auth(GO_ON, METHOD, challenged(wire, proof))
    head, body = wire.receive()
    assert head == CONNACK and body[1] == 0, (head, body)
    assert said(body, 2) == (METHOD, proof.expected), body
    assert wire.works()
    return wire


def log_in_again(wire):
    """For each of two times, the connection lives on."""
    for _ in range(2):
        proof = Proof()
        wire.auth(AGAIN, METHOD, proof.first)
        wire.auth(GO_ON, METHOD, challenged(wire, proof))
        head, body = wire.receive()
        assert head == AUTH and (not body or body[0] == 0), (head, body)
        assert said(body, 1) == (METHOD, proof.expected), body
        assert wire.works()


def refused_again(wire, proof):
    wire.auth(AGAIN, METHOD, proof.first)
    wire.auth(GO_ON, METHOD, challenged(wire, proof))
    head, body = wire.receive()
    assert head == DISCONNECT and body[0] == NOT_AUTHORIZED, (head, body)
    assert wire.receive()[0] is None


def refused(proof):
    """The salt that a stranger is shown before the refusal."""
    wire = Wire()
    wire.connect("stranger", METHOD, proof.first)
    wire.auth(GO_ON, METHOD, challenged(wire, proof))
    head, body = wire.receive()
    assert head == CONNACK and body[1] == NOT_AUTHORIZED, (head, body)
    assert "v=" not in said(body, 2)[1]
    assert wire.receive()[0] is None
    return proof.salt


def main():
    log_in_again(log_in("one"))
    log_in_again(log_in("two", user="somebody else"))
    refused_again(log_in("three"), Proof(password=b"wrong"))
    real = refused(Proof(password=b"wrong"))
    made_up = refused(Proof(user="nobody"))
    assert refused(Proof(user="nobody")) == made_up != real and len(made_up) == len(real)
    for method, data, reason in [
        ("SCRAM-SHA-1", "n,,n=x,r=y", BAD_METHOD),
        (METHOD, "p=tls-unique,,n=x,r=y", NOT_AUTHORIZED),
        (METHOD, "", NOT_AUTHORIZED),
    ]:
        wire = Wire()
        wire.connect("other", method, data)
        head, body = wire.receive()
        assert head == CONNACK and body[1] == reason, (method, data, head, body)
    print("all done")


main()
