"""Shows JSON Web Tokens to a running broker with paho-mqtt.

usage: paho_tokens.py PORT SECRET
"""

import base64
import hashlib
import hmac
import json
import queue
import socket
import sys
import time

import paho.mqtt.client as mqtt

PATIENCE = 20
PORT, SECRET = int(sys.argv[1]), sys.argv[2].encode()


def part(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def token(claims, secret=SECRET):
    head = part(json.dumps({"alg": "HS256", "typ": "JWT"}).encode())
    signed = head + b"." + part(json.dumps(claims).encode())
    signature = part(hmac.new(secret, signed, hashlib.sha256).digest())
    return (signed + b"." + signature).decode()


class Peer:
    """A client of MQTT 5.0 whose callbacks end in queues."""

    def __init__(self, name, password, user="anybody"):
        self.connected, self.gone = queue.Queue(), queue.Queue()
        self.published, self.subscribed = queue.Queue(), queue.Queue()
        client = self.client = mqtt.Client(
            mqtt.CallbackAPIVersion.VERSION2, client_id=name, protocol=mqtt.MQTTv5)
        client.on_connect = lambda _c, _u, _f, reason, _p: self.connected.put(reason.value)
        client.on_disconnect = lambda _c, _u, _f, reason, _p: self.gone.put(reason.value)
        client.on_publish = lambda _c, _u, _m, reason, _p: self.published.put(reason.value)
        client.on_subscribe = lambda _c, _u, _m, reasons, _p: self.subscribed.put(reasons[0].value)
        client.username_pw_set(user, password)
        client.connect("127.0.0.1", PORT)
        client.loop_start()
        self.reason = self.connected.get(timeout=PATIENCE)

    def publish(self, topic):
        self.client.publish(topic, "x", qos=1)
        return self.published.get(timeout=PATIENCE)

    def subscribe(self, topic):
        self.client.subscribe(topic, qos=1)
        return self.subscribed.get(timeout=PATIENCE)

    def end(self):
        self.client.disconnect()
        self.client.loop_stop()


def check(what, got, wanted):
    if got != wanted:
        sys.exit(f"{what}: {got:#x} in place of {wanted:#x}")


soon = int(time.time()) + 60
good = {"exp": soon, "sub": "fleet-2", "acl": [
    {"permission": "allow", "action": "publish", "topic": "robot/${clientid}/#"},
    {"permission": "allow", "action": "subscribe", "topic": "robot/${username}/+"},
]}

peer = Peer("r7", token(good))
check("a good token", peer.reason, 0)
check("its own topic", peer.publish("robot/r7/state"), 0x10)
check("another's topic", peer.publish("robot/r8/state"), 0x87)
check("the proved name, not the one that was given", peer.subscribe("robot/fleet-2/+"), 1)
check("the name that was given", peer.subscribe("robot/anybody/+"), 0x87)
check("more than was allowed", peer.subscribe("robot/fleet-2/#"), 0x87)
peer.end()

for what, password, wanted in [
    ("another's signature", token(good, b"somebody else"), 0x86),
    ("no token", "secret", 0x86),
    ("an expired token", token({**good, "exp": soon - 120}), 0x87),
    ("a token without end", token({"sub": "fleet-2"}), 0x87),
    ("rules that make no sense", token({**good, "acl": [{"permission": "maybe"}]}), 0x87),
]:
    peer = Peer("r7", password)
    check(what, peer.reason, wanted)
    peer.end()

def field(data):
    return len(data).to_bytes(2, "big") + data


def length(number):
    encoded = b""
    while True:
        number, digit = divmod(number, 128)
        encoded += bytes([digit | (128 if number else 0)])
        if not number:
            return encoded


def reads(stream, count):
    data = b""
    while len(data) < count:
        part = stream.recv(count - len(data))
        if not part:
            sys.exit("the connection ended without a word")
        data += part
    return data


# By hand: paho-mqtt 2.1 does not tell the reason of a DISCONNECT that has nothing else in it.
secret = token({**good, "exp": int(time.time()) + 2}).encode()
connect = field(b"MQTT") + bytes([5, 0xC2, 0, 0, 0]) + field(b"r7") + field(b"x") + field(secret)
with socket.create_connection(("127.0.0.1", PORT), timeout=PATIENCE) as stream:
    stream.sendall(b"\x10" + length(len(connect)) + connect)
    kind, size = reads(stream, 2)
    check("CONNACK", kind, 0x20)
    check("a token for two seconds", reads(stream, size)[1], 0)
    kind, size = reads(stream, 2)
    check("DISCONNECT", kind, 0xE0)
    check("its end", reads(stream, size)[0], 0xA0)
print("all done")
