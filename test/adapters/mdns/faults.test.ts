/**
 * The sixteen faults that were seen in bonjour-service and its browser, each shown to be none of ours: the real libraries over
 * a network in memory and a clock that the test moves. What needs a real socket besides is in test/lab/mdns.test.ts.
 */
import os from "node:os"
import { assert, describe, it } from "@effect/vitest"
import { encode } from "dns-packet"
import { afterEach, beforeEach, vi } from "vitest"
import { hostOf, SERVICE, serviceOf } from "../../../adapters/mdns/Records.ts"
import { announced, Ether, node, type Node } from "./Ether.ts"
import { a, announcement, goodbye, id, ptr, srv, txt } from "./packets.ts"

const nanoAt = "192.168.7.1"
const laptopAt = "192.168.7.2"
const nanoRecord = announced(id("a"), "nano")
const laptopRecord = announced(id("b"), "laptop")

const addressed = (...addresses: ReadonlyArray<string>) =>
  vi.spyOn(os, "networkInterfaces").mockReturnValue({
    eth0: addresses.map((address) => ({
      address,
      family: "IPv4",
      internal: false,
      netmask: "255.255.255.0",
      mac: "02:00:00:00:00:01",
      cidr: null
    }))
  })

describe("faults of mDNS libraries", () => {
  let ether: Ether
  let nodes: Array<Node>
  const start = (...args: Parameters<typeof node>) => {
    const started = node(...args)
    nodes.push(started)
    return started
  }
  const pair = () => ({ nano: start(ether, nanoAt, nanoRecord), laptop: start(ether, laptopAt, laptopRecord) })
  const wait = (ms: number) => vi.advanceTimersByTimeAsync(ms)
  const tags = ({ told }: Node) => told.map(({ _tag, deviceId }) => `${_tag} ${deviceId[0]}`)
  const lastAddresses = ({ told }: Node) => {
    const last = told.at(-1)
    return last?._tag === "Sighted" ? last.addresses : []
  }

  beforeEach(() => {
    vi.useFakeTimers()
    addressed("192.168.7.99")
    ether = new Ether()
    nodes = []
  })
  afterEach(async () => {
    const closing = Promise.all(nodes.map(({ mdns }) => mdns.close()))
    await wait(200)
    await closing
    vi.useRealTimers()
    vi.restoreAllMocks()
  })

  it("0: two devices find each other, and one that leaves is gone after a second", async () => {
    const { laptop, nano } = pair()
    await wait(1_000)
    assert.deepStrictEqual([tags(nano), tags(laptop)], [["Sighted b"], ["Sighted a"]])
    assert.strictEqual(lastAddresses(laptop)[0], `${nanoAt}:18789`)
    assert.deepStrictEqual(laptop.mdns.running, { runs: true, why: "" })
    const closed = nano.mdns.close()
    await wait(1_200)
    await closed
    assert.deepStrictEqual(tags(laptop), ["Sighted a", "Lost a"])
    assert.deepStrictEqual(nano.mdns.running, { runs: false, why: "stopped" })
  })

  it("1: a killed peer is gone when its SRV record runs out, and not before", async () => {
    const { laptop } = pair()
    await wait(10_000)
    ether.kill(nanoAt)
    await wait(105_000)
    assert.deepStrictEqual(tags(laptop), ["Sighted a"])
    await wait(15_000)
    assert.deepStrictEqual(tags(laptop), ["Sighted a", "Lost a"])
  })

  it("2: a peer that is announced again and again stays, also with short TTLs", async () => {
    const laptop = start(ether, laptopAt, laptopRecord)
    await wait(100)
    for (let seconds = 0; seconds < 60; seconds++) {
      const answers = [ptr("cam", 5), srv("cam", 80, { ttl: 5 }), txt("cam", { deviceId: id("c") }, 5)]
      ether.say("192.168.7.3", encode({ type: "response", answers: answers as never }))
      await wait(1_000)
    }
    assert.deepStrictEqual(tags(laptop), ["Sighted c"])
    // A live peer of ours stays too, over hours.
    start(ether, nanoAt, nanoRecord)
    await wait(4 * 3_600_000)
    assert.deepStrictEqual(tags(laptop), ["Sighted c", "Sighted a", "Lost c"])
  })

  it("3: asks again, from half a second to a minute apart, when nobody hears the first questions", async () => {
    const { laptop } = pair()
    ether.isLost = () => true
    await wait(10_000)
    assert.deepStrictEqual(tags(laptop), [])
    ether.isLost = () => false
    ether.said.length = 0
    await wait(20_000)
    assert.deepStrictEqual(tags(laptop), ["Sighted a"])
    await wait(600_000)
    ether.said.length = 0
    await wait(600_000)
    const questions = ether.said.filter(
      ({ from, questions, type }) =>
        type === "query" && from === laptopAt && questions?.some(({ name }) => name === SERVICE)
    )
    assert.strictEqual(questions.length, 10)
  })

  it("4: forty services that give each record in a packet of its own, and only when asked, are all found", async () => {
    const ids = Array.from({ length: 40 }, (_, index) => index.toString(16).padStart(64, "0"))
    const laptop = start(ether, laptopAt, laptopRecord)
    await wait(5)
    let from = 0
    const answer = setInterval(() => {
      const asked = ether.said.slice(from)
      from = ether.said.length
      for (const { questions, type } of asked)
        for (const { name, type: wanted } of type === "query" ? (questions ?? []) : [])
          for (const [index, deviceId] of ids.entries()) {
            const records = [ptr(`s${index}`), srv(`s${index}`), txt(`s${index}`, { deviceId })]
            for (const record of records)
              if (record.type === wanted && record.name === name)
                ether.say("192.168.7.4", encode({ type: "response", answers: [record as never] }))
          }
    }, 10)
    await wait(10_000)
    clearInterval(answer)
    assert.strictEqual(new Set(laptop.told.map(({ deviceId }) => deviceId)).size, 40)
  })

  it("5: two devices of one name are both found, and a goodbye in our name is contradicted at once", async () => {
    const nano = start(ether, nanoAt, announced(id("a"), "jetson"))
    const other = start(ether, "192.168.7.3", announced(id("c"), "jetson"))
    const laptop = start(ether, laptopAt, laptopRecord)
    await wait(5_000)
    assert.deepStrictEqual(tags(laptop).sort(), ["Sighted a", "Sighted c"])
    const label = serviceOf({ deviceId: id("a"), name: "jetson" }).slice(0, -SERVICE.length - 1)
    for (let times = 0; times < 10; times++) {
      ether.say("192.168.7.66", encode({ type: "response", answers: goodbye(label, id("a")).answers as never }))
      await wait(1_500)
    }
    assert.deepStrictEqual(tags(laptop).sort(), ["Sighted a", "Sighted c"])
    assert.deepStrictEqual([tags(nano).includes("Lost c"), tags(other).includes("Lost a")], [false, false])
    // Nobody was asked whether the name is free: a probe's question is of type ANY.
    assert.isFalse(ether.said.some(({ questions }) => questions?.some(({ type }) => String(type) === "ANY")))
  })

  it("6: under a new name a device is one device, and goes on answering", async () => {
    const { laptop, nano } = pair()
    await wait(2_000)
    nano.mdns.advertise(announced(id("a"), "nano-2"))
    await wait(3_000)
    assert.deepStrictEqual(
      tags(laptop).filter((tag) => tag !== "Sighted a"),
      []
    )
    assert.include(laptop.told.at(-1), { name: "nano-2" })
    const late = start(ether, "192.168.7.3", announced(id("c"), "late"))
    await wait(2_000)
    assert.include(
      late.told.find(({ deviceId }) => deviceId === id("a")),
      { name: "nano-2" }
    )
    assert.isFalse(late.told.some((news) => "name" in news && news.name === "nano"))
  })

  it("7: a network that refuses every packet ends nothing and is said, and it heals", async () => {
    let isDown = true
    const told: Array<string> = []
    const open = ether.at(nanoAt)
    const nano = start(ether, nanoAt, nanoRecord, {
      openAir: (ears, port) => {
        const air = open(ears, port)
        return {
          ...air,
          say: (packet) => {
            if (isDown) throw Object.assign(new Error("send ENETUNREACH 224.0.0.251:5353"), { code: "ENETUNREACH" })
            air.say(packet)
          },
          trouble: () => (isDown ? "no multicast: ENETUNREACH" : null)
        }
      }
    })
    const laptop = start(ether, laptopAt, laptopRecord)
    for (let seconds = 0; seconds < 90; seconds++) {
      await wait(1_000)
      told.push(nano.mdns.running.why)
    }
    assert.deepStrictEqual([...new Set(told)], ["no multicast: ENETUNREACH"])
    assert.deepStrictEqual(tags(laptop), [])
    isDown = false
    await wait(120_000)
    assert.deepStrictEqual(tags(laptop), ["Sighted a"])
    assert.deepStrictEqual(nano.mdns.running, { runs: true, why: "" })
  })

  it("8: a new address is announced, the old one taken back; no address at the start is no fate", async () => {
    addressed()
    const { laptop } = pair()
    await wait(3_000)
    addressed(nanoAt)
    await wait(2_000)
    addressed("192.168.7.101")
    ether.move(nanoAt, "192.168.7.101")
    await wait(2_500)
    assert.deepStrictEqual(lastAddresses(laptop), ["192.168.7.101:18789"])
    const late = start(ether, "192.168.7.3", announced(id("c"), "late"))
    await wait(2_000)
    const seen = late.told.find(({ deviceId }) => deviceId === id("a"))
    assert.deepStrictEqual(seen?._tag === "Sighted" && seen.addresses, ["192.168.7.101:18789"])
    assert.isFalse(laptop.told.some(({ _tag }) => _tag === "Lost"))
  })

  it("8: an address that was gone before the next one came is dropped with the new one's record: it is all there is (RFC 6762 10.2)", async () => {
    addressed(nanoAt)
    const { laptop } = pair()
    await wait(5_000)
    assert.deepStrictEqual(lastAddresses(laptop), [`${nanoAt}:18789`])
    addressed()
    ether.isLost = ({ from }) => from === nanoAt
    await wait(3_000)
    addressed("192.168.7.101", "192.168.8.101")
    ether.move(nanoAt, "192.168.7.101")
    await wait(4_000)
    assert.deepStrictEqual(lastAddresses(laptop), ["192.168.7.101:18789", "192.168.8.101:18789"])
    const records = ether.said.flatMap(({ additionals = [], answers = [], type }) =>
      type === "response" ? [...answers, ...additionals] : []
    )
    for (const record of records) {
      const { flush, name, ttl, type } = record as { flush: boolean; name: string; ttl: number; type: string }
      assert.strictEqual(flush, type !== "PTR" && ttl > 0, `${type} ${name}`)
    }
    assert.includeMembers(
      records.map(({ type }) => type),
      ["A", "PTR", "SRV", "TXT"]
    )
  })

  it("9: interfaces are joined again every five seconds, whether or not they look the same", async () => {
    const joins: Array<ReadonlyArray<string>> = []
    const open = ether.at(nanoAt)
    start(ether, nanoAt, nanoRecord, {
      openAir: (ears, port) => ({ ...open(ears, port), join: (addresses) => joins.push(addresses) })
    })
    await wait(2_000)
    joins.length = 0
    await wait(60_000)
    assert.isAtLeast(joins.length, 10)
    assert.isTrue(joins.every(([address]) => address === "192.168.7.99"))
  })

  it("10: one interface named by its address is all that is joined", async () => {
    addressed("192.168.7.99", "192.168.8.99")
    const joins = new Set<string>()
    const open = ether.at(nanoAt)
    start(ether, nanoAt, nanoRecord, {
      interface: "192.168.8.99",
      openAir: (ears, port) => ({ ...open(ears, port), join: (addresses) => joins.add(addresses.join()) })
    })
    await wait(6_000)
    assert.deepStrictEqual([...joins], ["192.168.8.99"])
  })

  it("11: a name that is too long for a TXT entry is cut, and the device is found", async () => {
    const laptop = start(ether, laptopAt, laptopRecord)
    start(ether, nanoAt, announced(id("a"), "ü".repeat(400)))
    await wait(2_000)
    const seen = laptop.told[0]
    assert.strictEqual(seen?._tag === "Sighted" && seen.name, "ü".repeat(64))
  })

  it("12: names with dots are kept", async () => {
    const laptop = start(ether, laptopAt, laptopRecord)
    start(ether, nanoAt, announced(id("a"), "nano.lab 1"))
    await wait(2_000)
    const { answers } = announcement("cam.barn 2", id("c"))
    // The codec has no way to write a dot inside a label: the label is put together by hand.
    const bytes = encode({ type: "response", answers: answers as never })
    const split = Buffer.concat([Buffer.from([3]), Buffer.from("cam"), Buffer.from([6]), Buffer.from("barn 2")])
    const whole = Buffer.concat([Buffer.from([10]), Buffer.from("cam.barn 2")])
    ether.say(
      "192.168.7.3",
      Buffer.from(bytes.toString("latin1").replaceAll(split.toString("latin1"), whole.toString("latin1")), "latin1")
    )
    await wait(100)
    assert.deepStrictEqual(laptop.told.map((news) => "name" in news && news.name).sort(), ["cam.barn 2", "nano.lab 1"])
  })

  it("13: the target of SRV is a name under .local that has an address record", async () => {
    start(ether, nanoAt, nanoRecord)
    await wait(2_000)
    const [packet] = ether.responsesOf(nanoAt, "SRV")
    const records = [...(packet?.answers ?? []), ...(packet?.additionals ?? [])]
    const srv = records.find(({ type }) => type === "SRV") as { data: { target: string } }
    assert.strictEqual(srv.data.target, hostOf(id("a")))
    assert.include(
      records.find(({ type }) => type === "A"),
      { name: hostOf(id("a")), data: "192.168.7.99" }
    )
  })

  it("14: no link-local IPv6 address is announced, and none is taken from others", async () => {
    const laptop = start(ether, laptopAt, laptopRecord)
    await wait(100)
    const answers = announcement("cam", id("c"), ["fe80::1", "fd00::9", "192.168.7.3"]).answers
    ether.say("192.168.7.3", encode({ type: "response", answers: answers as never }))
    await wait(100)
    assert.deepStrictEqual(lastAddresses(laptop), ["192.168.7.3:18789", "[fd00::9]:18789"])
    assert.deepStrictEqual(ether.responsesOf(laptopAt, "AAAA"), [])
  })

  it("15: who knows our answer gets none, others wait a moment for it, and goodbye is said twice", async () => {
    const nano = start(ether, nanoAt, nanoRecord)
    await wait(60_000)
    const service = serviceOf(nanoRecord)
    const answersTo = async (ttl: number) => {
      const before = ether.responsesOf(nanoAt, "PTR").length
      const known = ttl === 0 ? [] : [{ name: SERVICE, type: "PTR" as const, ttl, data: service }]
      ether.say(laptopAt, { type: "query", questions: [{ name: SERVICE, type: "PTR" }], answers: known })
      await wait(15)
      const atOnce = ether.responsesOf(nanoAt, "PTR").length - before
      await wait(200)
      return [atOnce, ether.responsesOf(nanoAt, "PTR").length - before]
    }
    assert.deepStrictEqual(await answersTo(0), [0, 1])
    assert.deepStrictEqual(await answersTo(28_000), [0, 0])
    assert.deepStrictEqual(await answersTo(14_000), [0, 1])
    ether.said.length = 0
    const closed = nano.mdns.close()
    await wait(200)
    await closed
    const goodbyes = ether.said.filter(({ answers }) =>
      answers?.some((answer) => answer.type === "PTR" && answer.data === service && answer.ttl === 0)
    )
    assert.strictEqual(goodbyes.length, 2)
  })

  it("15: ten thousand questions do not make us shout", async () => {
    start(ether, nanoAt, nanoRecord)
    await wait(60_000)
    ether.said.length = 0
    const query = encode({ type: "query", questions: [{ name: SERVICE, type: "PTR" }] })
    for (let seconds = 0; seconds < 10; seconds++) {
      for (let times = 0; times < 1_000; times++) ether.say("192.168.7.66", query)
      await wait(1_000)
    }
    const answers = ether.responsesOf(nanoAt, "PTR").length
    assert.isTrue(answers >= 400 && answers <= 550, `${answers}`)
  })

  it("16: thousands of broken and random packets change nothing for those who are there", async () => {
    const { laptop } = pair()
    await wait(5_000)
    let seed = 1
    const random = (below: number) => (seed = (seed * 48_271) % 2_147_483_647) % below
    const whole = [
      encode({ type: "response", answers: announcement("cam", id("c"), ["10.0.0.1", "fd00::1"]).answers as never }),
      encode({ type: "query", questions: [{ name: SERVICE, type: "PTR" }] }),
      encode({ type: "response", answers: [a("x", "10.0.0.1") as never] })
    ]
    for (let times = 0; times < 3_000; times++) {
      const packet = Buffer.from(whole[random(whole.length)]!)
      for (let flips = random(8); flips >= 0; flips--) packet[random(packet.length)] = random(256)
      const sent = times % 4 === 0 ? Buffer.from(Array.from({ length: random(200) }, () => random(256))) : packet
      ether.say(`192.168.7.${60 + random(4)}`, random(3) === 0 ? sent.subarray(0, random(sent.length)) : sent)
      if (times % 100 === 0) await wait(500)
    }
    await wait(2_000)
    assert.deepStrictEqual(
      tags(laptop).filter((tag) => tag.endsWith(" a")),
      ["Sighted a"]
    )
    start(ether, "192.168.7.3", announced(id("e"), "late"))
    await wait(3_000)
    assert.include(tags(laptop), "Sighted e")
    assert.deepStrictEqual(laptop.mdns.running, { runs: true, why: "" })
  })

  it("16: packets from off the link or from another port are not heard", async () => {
    const laptop = start(ether, laptopAt, laptopRecord)
    await wait(100)
    const packet = encode({ type: "response", answers: announcement("cam", id("c")).answers as never })
    ether.say("8.8.8.8", packet)
    ether.say("192.168.7.3", packet, 40_000)
    await wait(1_000)
    assert.deepStrictEqual(laptop.told, [])
    ether.say("192.168.7.3", packet)
    await wait(1_000)
    assert.deepStrictEqual(tags(laptop), ["Sighted c"])
  })
})
