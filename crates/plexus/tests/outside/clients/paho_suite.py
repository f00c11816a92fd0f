"""Talks to a running broker with paho-mqtt: every QoS, retained, will, shared, sessions, TLS, WS.

usage: paho_suite.py TCP TLS WS WSS CAFILE (ports on 127.0.0.1)
"""

import queue
import socket
import sys
import uuid

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

PATIENCE = 20
TCP, TLS, WS, WSS = map(int, sys.argv[1:5])
CAFILE = sys.argv[5]


def unique(name):
    return f"{name}-{uuid.uuid4().hex[:12]}"


class Peer:
    """A client whose callbacks end in queues, so that each step waits for what it caused."""

    def __init__(self, version, port=TCP, transport="tcp", tls=False, name=None, clean=True,
                 expiry=0, will=None):
        self.connected, self.messages = queue.Queue(), queue.Queue()
        self.subscribed, self.published, self.gone = queue.Queue(), queue.Queue(), queue.Queue()
        five = version == mqtt.MQTTv5
        session = {} if five else {"clean_session": clean}
        self.client = mqtt.Client(
            mqtt.CallbackAPIVersion.VERSION2, client_id=name or unique("paho"),
            protocol=version, transport=transport, **session)
        client = self.client
        client.on_connect = lambda _c, _u, flags, reason, _p: self.connected.put((flags, reason))
        client.on_message = lambda _c, _u, message: self.messages.put(message)
        client.on_subscribe = lambda _c, _u, _m, reasons, _p: self.subscribed.put(reasons)
        client.on_publish = lambda _c, _u, mid, reason, _p: self.published.put((mid, reason))
        client.on_disconnect = lambda _c, _u, _f, reason, _p: self.gone.put(reason)
        if transport == "websockets":
            client.ws_set_options(path="/mqtt")
        if tls:
            client.tls_set(ca_certs=CAFILE)
        if will:
            client.will_set(*will)
        more = {}
        if five:
            properties = Properties(PacketTypes.CONNECT)
            properties.SessionExpiryInterval = expiry
            more = {"clean_start": clean, "properties": properties}
        client.connect("localhost" if tls else "127.0.0.1", port, 60, **more)
        client.loop_start()
        flags, reason = self.connected.get(timeout=PATIENCE)
        assert not reason.is_failure, reason
        self.session_present = flags.session_present

    def subscribe(self, topic, qos=0, options=None):
        if options:
            self.client.subscribe(topic, options=options)
        else:
            self.client.subscribe(topic, qos)
        reasons = self.subscribed.get(timeout=PATIENCE)
        assert all(not reason.is_failure for reason in reasons), reasons
        return self

    def publish(self, topic, payload, qos=0, retain=False, properties=None):
        self.client.publish(topic, payload, qos, retain, properties)
        self.published.get(timeout=PATIENCE)

    def expect(self, topic, payload, qos=None, retain=False):
        message = self.messages.get(timeout=PATIENCE)
        assert message.topic == topic, (message.topic, topic)
        assert message.payload == payload, (message.payload, payload)
        assert qos is None or message.qos == qos, (message.qos, qos)
        assert message.retain == retain, "retain"
        return message

    def die(self):
        """Ends the connection without a DISCONNECT."""
        self.client.loop_stop()
        self.client.socket().shutdown(socket.SHUT_RDWR)
        self.client.socket().close()

    def leave(self):
        self.client.disconnect()
        self.gone.get(timeout=PATIENCE)
        self.client.loop_stop()


VERSIONS = [mqtt.MQTTv31, mqtt.MQTTv311, mqtt.MQTTv5]


def every_qos():
    for version in VERSIONS:
        topic = unique("qos")
        receiver = Peer(version).subscribe(topic, 2)
        sender = Peer(version)
        for qos in range(3):
            sender.publish(topic, f"q{qos}".encode(), qos)
            receiver.expect(topic, f"q{qos}".encode(), qos)
        sender.leave(), receiver.leave()


def transports():
    kinds = [(TLS, "tcp", True), (WS, "websockets", False), (WSS, "websockets", True)]
    for version in VERSIONS[1:]:
        for port, transport, tls in kinds:
            topic = unique("transport")
            receiver = Peer(version, port, transport, tls).subscribe(topic, 2)
            sender = Peer(version)
            payload = bytes(range(256)) * 800
            sender.publish(topic, payload, 2)
            receiver.expect(topic, payload, 2)
            receiver.publish(topic, b"back", 1)
            receiver.expect(topic, b"back", 1)
            sender.leave(), receiver.leave()


def retained():
    for version in VERSIONS:
        topic = unique("retained")
        sender = Peer(version)
        sender.publish(topic, b"kept", 1, True)
        late = Peer(version).subscribe(topic + "/#", 1)
        late.expect(topic, b"kept", 1, True)
        sender.publish(topic, b"", 1, True)
        late.expect(topic, b"", 1, False)
        later = Peer(version).subscribe(topic, 1)
        sender.publish(topic, b"live", 1)
        later.expect(topic, b"live", 1, False)
        sender.leave(), late.leave(), later.leave()


def wills():
    for version in VERSIONS:
        topic = unique("will")
        watcher = Peer(version).subscribe(topic, 1)
        doomed = Peer(version, will=(topic, b"died", 1, False))
        doomed.die()
        watcher.expect(topic, b"died", 1)
        polite = Peer(version, will=(topic, b"unsaid", 1, False))
        polite.leave()
        Peer(version).publish(topic, b"after", 1)
        watcher.expect(topic, b"after", 1)
        watcher.leave()


def sessions():
    for version in VERSIONS:
        name, topic = unique("s")[:20], unique("session")
        first = Peer(version, name=name, clean=False, expiry=300)
        assert not first.session_present
        first.subscribe(topic, 2)
        first.die()
        sender = Peer(version)
        for number in range(40):
            sender.publish(topic, str(number).encode(), number % 3)
        again = Peer(version, name=name, clean=False, expiry=300)
        assert again.session_present or version == mqtt.MQTTv31
        # The client hands QoS 2 messages out at PUBREL: the order holds within each QoS.
        seen = [again.messages.get(timeout=PATIENCE) for _ in range(40)]
        for qos in range(3):
            numbers = [int(message.payload) for message in seen if message.qos == qos]
            assert numbers == list(range(qos, 40, 3)), numbers
        again.leave(), sender.leave()


def takeover():
    name = unique("twin")
    old = Peer(mqtt.MQTTv5, name=name)
    old.client.reconnect_delay_set(60, 120)
    new = Peer(mqtt.MQTTv5, name=name)
    reason = old.gone.get(timeout=PATIENCE)
    assert reason.value == 0x8E, reason
    old.client.loop_stop()
    new.leave()


def shared():
    topic = unique("shared")
    members = [Peer(version).subscribe(f"$share/g/{topic}", 1) for version in VERSIONS[1:] * 2]
    sender = Peer(mqtt.MQTTv5)
    for number in range(80):
        sender.publish(topic, str(number).encode(), 1)
    seen = []
    for member in members:
        for _ in range(20):
            seen.append(int(member.messages.get(timeout=PATIENCE).payload))
    assert sorted(seen) == list(range(80)), seen
    for peer in members + [sender]:
        peer.leave()


def properties():
    topic = unique("props")
    options = SubscribeOptions(qos=1, noLocal=True, retainAsPublished=True)
    receiver = Peer(mqtt.MQTTv5).subscribe(topic, options=options)
    receiver.publish(topic, b"own", 1)
    sent = Properties(PacketTypes.PUBLISH)
    sent.ContentType, sent.ResponseTopic, sent.CorrelationData = "text/plain", "re/ply", b"\x00\x01"
    sent.PayloadFormatIndicator, sent.MessageExpiryInterval = 1, 60
    sent.UserProperty = [("a", "1"), ("b", "2"), ("a", "3")]
    sender = Peer(mqtt.MQTTv5)
    sender.publish(topic, b"x", 1, True, sent)
    got = receiver.expect(topic, b"x", 1, True).properties
    assert got.ContentType == "text/plain" and got.ResponseTopic == "re/ply"
    assert got.CorrelationData == b"\x00\x01" and got.PayloadFormatIndicator == 1
    assert 0 < got.MessageExpiryInterval <= 60
    assert got.UserProperty == [("a", "1"), ("b", "2"), ("a", "3")], got.UserProperty
    sender.leave(), receiver.leave()


for scenario in [every_qos, transports, retained, wills, sessions, takeover, shared, properties]:
    scenario()
    print("ok", scenario.__name__, flush=True)
print("all done")
