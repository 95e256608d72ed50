/** Discovery over real sockets between hosts (wire.md 3), and through what happens to a network in a barn. */
import { assert, describe, it } from "@effect/vitest"
import { Segment, until } from "./Segment.ts"

const nanoId = "a".repeat(64)
const laptopId = "b".repeat(64)
/** So that a killed device is missed within a test. */
const brief = { silentMaxMs: 6_000 }

/** Two hosts on a switch, each with a node. */
const pair = (segment: Segment) => {
  const hosts = { nano: segment.lab.host("nano"), laptop: segment.lab.host("laptop") }
  segment.plug(hosts.nano, "10.77.0.1/24")
  segment.plug(hosts.laptop, "10.77.0.2/24")
  return {
    hosts,
    nano: segment.node(hosts.nano, nanoId, "nano", brief),
    laptop: segment.node(hosts.laptop, laptopId, "laptop", brief)
  }
}

const found = async ({ laptop, nano }: ReturnType<typeof pair>) => {
  const [seenByNano, seenByLaptop] = await Promise.all([nano.finds("laptop"), laptop.finds("nano")])
  return { seenByNano, seenByLaptop }
}

describe("two hosts on a switch", () => {
  it("find each other, both ways, with all that they announce; a goodbye counts", async () => {
    using segment = new Segment()
    const both = pair(segment)
    const { seenByLaptop, seenByNano } = await found(both)
    assert.deepStrictEqual(seenByNano.addresses, ["10.77.0.2:18789"])
    assert.deepStrictEqual(seenByLaptop, {
      _tag: "Sighted",
      deviceId: nanoId,
      gen: 2,
      name: "nano",
      meshId: "e".repeat(64),
      role: "field",
      incarnation: 7,
      addresses: ["10.77.0.1:18789"]
    })
    await both.nano.runs(true, 1_000)
    await both.nano.kill("SIGTERM")
    await both.laptop.loses(nanoId, 2_000)
  })

  it("a device that was killed is missed when its record runs out", async () => {
    using segment = new Segment()
    const both = pair(segment)
    await found(both)
    const at = performance.now()
    await both.nano.kill("SIGKILL")
    await both.laptop.loses(nanoId, 8_000)
    assert.isAbove(performance.now() - at, 1_500)
  })

  it("a device that stays is not missed, however often its record runs out", async () => {
    using segment = new Segment()
    const both = pair(segment)
    await found(both)
    await new Promise((resolve) => setTimeout(resolve, 15_000))
    assert.strictEqual(both.laptop.lines.filter(({ _tag }) => _tag !== "Running").length, 1)
    assert.strictEqual(both.nano.lines.filter(({ _tag }) => _tag !== "Running").length, 1)
  })

  it("a device that gets another address is found there, and never lost (A27)", async () => {
    using segment = new Segment()
    const both = pair(segment)
    await found(both)
    both.laptop.mark()
    both.hosts.nano.ip("address", "add", "10.77.0.101/24", "dev", "eth0")
    both.hosts.nano.ip("address", "del", "10.77.0.1/24", "dev", "eth0")
    // Deleting the first address of a network may take the others along.
    if (!both.hosts.nano.ip("address", "show", "eth0").includes("10.77.0.101"))
      both.hosts.nano.ip("address", "add", "10.77.0.101/24", "dev", "eth0")
    await both.laptop.finds("nano", 5_000, "10.77.0.101:")
    const onlyNew = (line: { addresses?: ReadonlyArray<string> }) => line.addresses?.join() === "10.77.0.101:18789"
    await both.laptop.says("no longer knows the old address", 10_000, onlyNew)
    assert.isFalse(both.laptop.since.some(({ _tag }) => _tag === "Lost"))
  })

  it("a link that goes down is said, and up again is enough to be found again", async () => {
    using segment = new Segment()
    const both = pair(segment)
    await found(both)
    await both.nano.runs(true, 2_000)
    both.nano.mark()
    both.laptop.mark()
    both.hosts.nano.ip("link", "set", "eth0", "down")
    const { why } = await both.nano.runs(false, 5_000)
    assert.match(why ?? "", /^no (network|multicast)/u)
    await both.laptop.loses(nanoId, 8_000)
    await both.nano.loses(laptopId, 8_000)
    both.hosts.nano.ip("link", "set", "eth0", "up")
    await Promise.all([both.nano.runs(true, 8_000), both.laptop.finds("nano", 8_000), both.nano.finds("laptop", 8_000)])
  })

  it("an interface that is made anew, the same in every way, is heard and spoken by again", async () => {
    using segment = new Segment()
    const nano = segment.lab.host("nano")
    const laptop = segment.lab.host("laptop")
    const mac = "02:00:00:00:77:01"
    segment.plug(nano, "10.77.0.1/24", { mac })
    segment.plug(laptop, "10.77.0.2/24")
    const devices = {
      nano: segment.node(nano, nanoId, "nano", brief),
      laptop: segment.node(laptop, laptopId, "laptop", brief)
    }
    await Promise.all([devices.nano.finds("laptop"), devices.laptop.finds("nano")])
    // Stopped meanwhile, the node cannot see that the interface was gone: nothing but joining again helps.
    devices.nano.process.kill("SIGSTOP")
    nano.ip("link", "delete", "eth0")
    segment.plug(nano, "10.77.0.1/24", { mac })
    devices.nano.process.kill("SIGCONT")
    devices.nano.mark()
    const groups = () => nano.ip("maddress", "show", "dev", "eth0")
    await until("the group is joined again", 7_000, () => groups().includes("224.0.0.251"), groups)
    await devices.laptop.kill("SIGTERM")
    // Who joins now is heard only by an ear that was joined again.
    const late = segment.node(laptop, "c".repeat(64), "late", brief)
    await devices.nano.finds("late", 12_000)
    await late.finds("nano", 12_000)
  })

  it("a host that has no network at first says so, and is found when it has one", async () => {
    using segment = new Segment()
    const nano = segment.lab.host("nano")
    const laptop = segment.lab.host("laptop")
    segment.plug(laptop, "10.77.0.2/24")
    const devices = { nano: segment.node(nano, nanoId, "nano"), laptop: segment.node(laptop, laptopId, "laptop") }
    const { why } = await devices.nano.says("has no network", 5_000, ({ why = "" }) => why.startsWith("no network"))
    assert.strictEqual(why, "no network: no interface has an IPv4 address")
    segment.plug(nano, "10.77.0.1/24")
    await Promise.all([devices.laptop.finds("nano", 5_000, "10.77.0.1:"), devices.nano.finds("laptop", 5_000)])
    await devices.nano.runs(true, 5_000)
  })

  it("a host between two networks speaks and hears on both, and is found on each by its address there", async () => {
    using segment = new Segment()
    const middle = segment.lab.host("middle")
    const [east, west] = [segment.lab.host("east"), segment.lab.host("west")]
    segment.plug(middle, "10.77.1.1/24", { device: "eth0", on: "switch-east" })
    segment.plug(middle, "10.77.2.1/24", { device: "eth1", on: "switch-west" })
    segment.plug(east, "10.77.1.2/24", { on: "switch-east" })
    segment.plug(west, "10.77.2.2/24", { on: "switch-west" })
    const between = segment.node(middle, nanoId, "middle")
    const devices = [segment.node(east, laptopId, "east"), segment.node(west, "c".repeat(64), "west")]
    await Promise.all([
      between.finds("east", 5_000, "10.77.1.2:"),
      between.finds("west", 5_000, "10.77.2.2:"),
      devices[0]!.finds("middle", 5_000, "10.77.1.1:"),
      devices[1]!.finds("middle", 5_000, "10.77.2.1:")
    ])
  })

  it("two nodes on one host find each other over loopback alone", async () => {
    using segment = new Segment()
    const host = segment.lab.host("host")
    const options = { interface: "127.0.0.1" }
    const nano = segment.node(host, nanoId, "nano", options)
    const laptop = segment.node(host, laptopId, "laptop", options)
    await Promise.all([nano.finds("laptop", 5_000, "127.0.0.1:"), laptop.finds("nano", 5_000, "127.0.0.1:")])
    await nano.kill("SIGTERM")
    await laptop.loses(nanoId, 2_000)
  })

  it("a host that hears nothing, not even itself, says so, and hears again when it can", async () => {
    using segment = new Segment()
    const both = pair(segment)
    await found(both)
    await both.nano.runs(true, 2_000)
    both.nano.mark()
    const { nano } = both.hosts
    const deaf = "add table ip deaf; add chain ip deaf in { type filter hook input priority 0; }"
    assert.strictEqual(nano.run("nft", `${deaf}; add rule ip deaf in ip daddr 224.0.0.251 drop`).output, "")
    const { why } = await both.nano.runs(false, 25_000)
    assert.strictEqual(why, "no multicast: what we send does not come back to us")
    nano.run("nft", "delete table ip deaf")
    both.nano.mark()
    await both.nano.runs(true, 20_000)
    await both.nano.finds("laptop", 10_000)
  }, 60_000)

  it("packets that may not leave end nothing: the host says why", async () => {
    using segment = new Segment()
    const both = pair(segment)
    await found(both)
    await both.nano.runs(true, 2_000)
    both.nano.mark()
    const mute = "add table ip mute; add chain ip mute out { type filter hook output priority 0; }"
    assert.strictEqual(both.hosts.nano.run("nft", `${mute}; add rule ip mute out udp dport 5353 drop`).output, "")
    const { why } = await both.nano.runs(false, 15_000)
    assert.strictEqual(why, "no multicast: EPERM")
    await both.laptop.loses(nanoId, 10_000)
    both.hosts.nano.run("nft", "delete table ip mute")
    await both.laptop.finds("nano", 20_000)
    assert.isNull(both.nano.process.exitCode)
  }, 60_000)
})

describe("beside Avahi", () => {
  const start = async (segment: Segment) => {
    const nano = segment.lab.host("nano")
    const laptop = segment.lab.host("laptop")
    segment.plug(nano, "10.77.0.1/24")
    segment.plug(laptop, "10.77.0.2/24")
    return { nano, laptop, avahi: await segment.avahi(laptop, "barn") }
  }
  const txt = ["deviceId=" + "d".repeat(64), "version=0.1.0"]

  it("it finds and resolves us", async () => {
    using segment = new Segment()
    const { avahi, laptop, nano } = await start(segment)
    const device = segment.node(nano, nanoId, "nano")
    await device.runs(true, 5_000)
    const browse = () => laptop.run(...(avahi("avahi-browse", "-rpt", "_clawmesh._tcp") as [string])).output
    const line = await until(
      "Avahi resolves us",
      10_000,
      () =>
        browse()
          .split("\n")
          .find((line) => line.startsWith("=")),
      browse
    )
    const [, , , instance, type, , host, address, port, ...rest] = line.split(";")
    assert.deepStrictEqual(
      [instance, type, host, address, port],
      [`${"a".repeat(16)}-nano`, "_clawmesh._tcp", `${"a".repeat(16)}.local`, "10.77.0.1", "18789"]
    )
    for (const entry of [`deviceId=${nanoId}`, "version=0.3.0", "gen=2", "role=field", "incarnation=7", "name=nano"])
      assert.include(rest.join(";"), `"${entry}"`)
    const resolved = laptop.run(...(avahi("avahi-resolve", "-n", `${"a".repeat(16)}.local`) as [string])).output
    assert.match(resolved, /\t10\.77\.0\.1\n/u)
    await device.kill("SIGTERM")
    await until("Avahi forgets us", 5_000, () => !browse().includes("nano"), browse)
  })

  it("we find what it publishes, and lose it with its goodbye, also when its client was killed", async () => {
    using segment = new Segment()
    const { avahi, laptop, nano } = await start(segment)
    const publisher = segment.spawn(
      laptop,
      ...avahi("avahi-publish", "-s", "pump house.1", "_clawmesh._tcp", "4711", ...txt)
    )
    const device = segment.node(nano, nanoId, "nano")
    const seen = await device.finds("pump house.1", 8_000)
    assert.include(seen, { deviceId: "d".repeat(64), gen: 1 })
    assert.deepStrictEqual(seen.addresses, ["10.77.0.2:4711"])
    await publisher.kill("SIGKILL")
    await device.loses("d".repeat(64), 3_000)
  })

  it("we find forty of its services, which it answers for in many packets", async () => {
    using segment = new Segment()
    const { avahi, laptop, nano } = await start(segment)
    const ids = Array.from({ length: 40 }, (_, index) => index.toString(16).padStart(64, "0"))
    for (const [index, deviceId] of ids.entries())
      segment.spawn(laptop, ...avahi("avahi-publish", "-s", `s${index}`, "_clawmesh._tcp", "1", `deviceId=${deviceId}`))
    const browse = () => laptop.run(...(avahi("avahi-browse", "-pt", "_clawmesh._tcp") as [string])).output
    await until("Avahi publishes forty", 15_000, () => browse().trim().split("\n").length === 40, browse)
    const device = segment.node(nano, nanoId, "nano")
    const seen = () => new Set(device.lines.flatMap(({ deviceId }) => deviceId ?? [])).size
    await until(
      "forty found",
      10_000,
      () => seen() === 40,
      () => `${seen()} of 40`
    )
  }, 60_000)

  it("on one host with it, both of us go on finding and being found", async () => {
    using segment = new Segment()
    const { avahi, laptop, nano } = await start(segment)
    const beside = segment.node(laptop, laptopId, "laptop", brief)
    const device = segment.node(nano, nanoId, "nano", brief)
    await Promise.all([beside.finds("nano", 8_000), device.finds("laptop", 8_000)])
    const browse = () => laptop.run(...(avahi("avahi-browse", "-pt", "_clawmesh._tcp") as [string])).output
    await until("Avahi finds both", 10_000, () => browse().includes("-nano") && browse().includes("-laptop"), browse)
    segment.spawn(laptop, ...avahi("avahi-publish", "-s", "pump", "_clawmesh._tcp", "4711", ...txt))
    await Promise.all([beside.finds("pump", 8_000), device.finds("pump", 8_000)])
  })
})
