"""Publishes numbers until the broker dies: even ones at QoS 1, odd ones at QoS 2.

Usage: paho_crash.py PORT NAME FIRST. Prints each number that is acknowledged to its end, a line
each, and at last `next N`, the number behind those that were given.
"""

import sys

import paho.mqtt.client as mqtt

WINDOW = 40


def main(port, name, first):
    given, under_way = first, {}

    def on_publish(_client, _userdata, mid, _reason, _properties):
        print(under_way.pop(mid), flush=True)

    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=name)
    client.max_inflight_messages_set(WINDOW)
    client.on_publish = on_publish
    client.connect("127.0.0.1", port)
    # One thread: an acknowledgement never comes before its message is in the table.
    while client.loop(0.05) == mqtt.MQTT_ERR_SUCCESS:
        while client.is_connected() and len(under_way) < WINDOW:
            info = client.publish("crash/n", str(given), qos=1 + given % 2)
            if info.rc != mqtt.MQTT_ERR_SUCCESS:
                break
            under_way[info.mid] = given
            given += 1
    # What did not fit into the connection may have reached the broker all the same.
    print("next", given + 1, flush=True)


main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
