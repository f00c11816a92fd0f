// Talks to a running broker with mqtt.js over TCP, TLS, WS and WSS.
//
// usage: mqttjs_suite.js TCP TLS WS WSS (ports on 127.0.0.1)
'use strict'

const assert = require('node:assert')
const { once } = require('node:events')
const { randomBytes } = require('node:crypto')
const mqtt = require('mqtt')

const [tcp, tls, ws, wss] = process.argv.slice(2).map(Number)
const URLS = [
  `mqtt://127.0.0.1:${tcp}`, `mqtts://localhost:${tls}`,
  `ws://127.0.0.1:${ws}/mqtt`, `wss://localhost:${wss}/mqtt`
]
const unique = (name) => `${name}-${randomBytes(6).toString('hex')}`
const guard = setTimeout(() => { console.error('took too long'); process.exit(1) }, 60_000)

// A client that keeps what it hears, so that each step waits for what it caused.
async function peer (url, protocolVersion, options = {}) {
  const client = mqtt.connect(url, {
    clientId: unique('js'), protocolVersion, rejectUnauthorized: false, reconnectPeriod: 0, ...options
  })
  const heard = []
  const waiting = []
  client.on('message', (topic, payload, packet) => {
    const next = waiting.shift()
    if (next) next(packet)
    else heard.push(packet)
  })
  const [connack] = await once(client, 'connect')
  client.connack = connack
  client.next = () => heard.length ? heard.shift() : new Promise((resolve) => waiting.push(resolve))
  client.expect = async (topic, payload, qos, retain = false) => {
    const packet = await client.next()
    assert.deepStrictEqual(
      [packet.topic, packet.payload.toString(), packet.qos, packet.retain],
      [topic, payload, qos, retain])
    return packet
  }
  return client
}

async function everyQos (url, version) {
  const topic = unique('qos')
  const [receiver, sender] = [await peer(url, version), await peer(URLS[0], version)]
  await receiver.subscribeAsync(topic + '/#', { qos: 2 })
  for (const qos of [0, 1, 2]) {
    await sender.publishAsync(`${topic}/${qos}`, `m${qos}`, { qos })
    await receiver.expect(`${topic}/${qos}`, `m${qos}`, qos)
  }
  const large = randomBytes(300_000).toString('hex')
  await sender.publishAsync(topic, large, { qos: 1 })
  await receiver.expect(topic, large, 1)
  await Promise.all([receiver.endAsync(), sender.endAsync()])
}

async function retained (url, version) {
  const topic = unique('retained')
  const sender = await peer(url, version)
  await sender.publishAsync(topic, 'kept', { qos: 1, retain: true })
  const late = await peer(url, version)
  await late.subscribeAsync(topic, { qos: 1 })
  await late.expect(topic, 'kept', 1, true)
  await sender.publishAsync(topic, '', { qos: 1, retain: true })
  await Promise.all([late.endAsync(), sender.endAsync()])
}

async function will (url, version) {
  const topic = unique('will')
  const watcher = await peer(url, version)
  await watcher.subscribeAsync(topic, { qos: 1 })
  const doomed = await peer(url, version, { will: { topic, payload: 'died', qos: 1 } })
  doomed.stream.destroy()
  await watcher.expect(topic, 'died', 1)
  await watcher.endAsync()
}

async function session (url, version) {
  const [topic, clientId] = [unique('session'), unique('s')]
  const keep = { clientId, clean: false, properties: { sessionExpiryInterval: 300 } }
  if (version !== 5) delete keep.properties
  const first = await peer(url, version, keep)
  await first.subscribeAsync(topic, { qos: 2 })
  first.stream.destroy()
  await once(first, 'close')
  const sender = await peer(url, version)
  for (let number = 0; number < 60; number++) {
    await sender.publishAsync(topic, String(number), { qos: number % 3 })
  }
  const again = await peer(url, version, keep)
  assert.strictEqual(again.connack.sessionPresent, true)
  // The client hands QoS 2 messages out at PUBREL: the order holds within each QoS.
  const seen = [[], [], []]
  for (let number = 0; number < 60; number++) {
    const packet = await again.next()
    seen[packet.qos].push(Number(packet.payload))
  }
  for (const qos of [0, 1, 2]) {
    assert.deepStrictEqual(seen[qos], [...Array(20).keys()].map((number) => number * 3 + qos))
  }
  await Promise.all([again.endAsync(), sender.endAsync(), first.endAsync(true)])
}

async function shared (url, version) {
  const topic = unique('shared')
  const members = await Promise.all([1, 2, 3].map(() => peer(url, version)))
  for (const member of members) await member.subscribeAsync(`$share/js/${topic}`, { qos: 1 })
  const sender = await peer(url, version)
  const sent = [...Array(60).keys()].map((number) => sender.publishAsync(topic, String(number), { qos: 1 }))
  await Promise.all(sent)
  const seen = []
  for (const member of members) {
    for (let number = 0; number < 20; number++) seen.push(Number((await member.next()).payload))
  }
  assert.deepStrictEqual(seen.sort((a, b) => a - b), [...Array(60).keys()])
  await Promise.all([...members, sender].map((client) => client.endAsync()))
}

async function main () {
  for (const url of URLS) {
    for (const version of [4, 5]) {
      for (const scenario of [everyQos, retained, will, session, shared]) {
        await scenario(url, version)
        console.log('ok', scenario.name, url.split(':')[0], version)
      }
    }
  }
  clearTimeout(guard)
  console.log('all done')
}

main().catch((error) => { console.error(error); process.exit(1) })
