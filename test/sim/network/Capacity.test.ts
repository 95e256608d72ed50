import { assert, describe, it } from "@effect/vitest"
import { Lab } from "./Lab.ts"

const KIB = 1_024
const text = (bytes: number): string => "x".repeat(bytes - 8)

describe("a narrow path", () => {
  it("lets so many bytes a second through, and what is behind waits in the queue", () => {
    const lab = new Lab(["a", "b"])
    const connection = lab.open("a", "b")
    const id = lab.network.apply({ _tag: "capacity", pairs: [["a", "b"]], bytesPerSecond: 10_000 })
    const beganMs = lab.nowMs
    for (let n = 0; n < 3; n++) lab.say(connection, 0, text(5_000))
    lab.network.send(connection, 0, { _tag: "ping", probe: 9 })
    lab.say(connection, 1, "the other way")
    assert.strictEqual(lab.network.buffered(connection, 0), 15_016)
    lab.run(505)
    assert.strictEqual(lab.whenMs("a", "the other way"), beganMs + 10)
    lab.run(10)
    assert.strictEqual(lab.network.buffered(connection, 0), 10_016)
    lab.run(5_000)
    assert.deepStrictEqual(
      lab.log.filter(({ host }) => host === "b").map(({ atMs }) => atMs - beganMs),
      [510, 1_010, 1_510, 1_512]
    )
    assert.strictEqual(lab.network.buffered(connection, 0), 0)
    assert.strictEqual(lab.network.touched(id), 4)
  })

  it("is shared by all connections that go this way, and of two the narrower counts", () => {
    const lab = new Lab(["a", "b"])
    const [one, two] = [lab.open("a", "b"), lab.open("a", "b")]
    lab.network.apply({ _tag: "capacity", pairs: [["a", "b"]], bytesPerSecond: 1_000 })
    lab.network.apply({ _tag: "capacity", pairs: [["a", "b"]], bytesPerSecond: 50_000 })
    const beganMs = lab.nowMs
    lab.say(one, 0, text(1_000))
    lab.say(two, 0, text(1_000))
    lab.run(5_000)
    assert.deepStrictEqual(
      lab.log.map(({ atMs, connection }) => [connection, atMs - beganMs]),
      [
        [one.id, 1_010],
        [two.id, 2_010]
      ]
    )
  })
})

describe("what waits", () => {
  it("P13.5: is told when it is more than 256 KiB and 1 MiB, and when half of that is left", () => {
    const lab = new Lab(["a", "b"])
    const connection = lab.open("a", "b")
    lab.network.apply({ _tag: "capacity", pairs: [["a", "b"]], bytesPerSecond: 1_000_000 })
    for (let n = 0; n < 20; n++) lab.say(connection, 0, text(64 * KIB))
    lab.run(10_000)
    // The first one beyond each bound; then the first arrival that leaves half of it.
    assert.deepStrictEqual(
      lab.backlogs.map(({ host, bytes }) => [host, bytes / KIB]),
      [
        ["a", 320],
        ["a", 1_088],
        ["a", 512],
        ["a", 128]
      ]
    )
    // On a path that is as it usually is nothing waits.
    const other = lab.open("b", "a")
    for (let n = 0; n < 20; n++) lab.say(other, 0, text(64 * KIB))
    lab.run(10_000)
    assert.lengthOf(lab.backlogs, 4)
  })
})

describe("a sender that gets nothing through", () => {
  it("A38: gives the link up when more than 4 MiB wait for the far end to read", () => {
    const lab = new Lab(["a", "b"])
    const connection = lab.open("a", "b")
    lab.network.apply({ _tag: "capacity", pairs: [["a", "b"]], bytesPerSecond: 100_000 })
    let said = 0
    while (said < 40 && lab.words("a").length === 0) {
      lab.say(connection, 0, text(256 * KIB))
      said++
      lab.run(1)
    }
    assert.deepStrictEqual(lab.words("a"), ["timeout"])
    // 4 MiB are 16 of them; with the 17th it is too much.
    assert.strictEqual(said, 17)
    lab.run(120_000)
    assert.strictEqual(lab.words("b").at(-1), "reset")
  })

  it("gives it up after 10 s in which nothing of it arrives, and not before; less than it sends ahead is none of its business", () => {
    for (const kib of [513, 511]) {
      const lab = new Lab(["a", "b"])
      const connection = lab.open("a", "b")
      lab.network.apply({ _tag: "cut", pairs: [["a", "b"]] })
      const beganMs = lab.nowMs
      for (let n = 0; n < kib; n++) lab.say(connection, 0, text(KIB))
      lab.run(60_000)
      assert.strictEqual(lab.network.buffered(connection, 0), kib === 513 ? 0 : kib * KIB)
      assert.strictEqual(lab.whenMs("a", "timeout"), kib === 513 ? beganMs + 10_000 : -1)
    }
  })

  it("keeps a link on which something arrives, however slowly", () => {
    const lab = new Lab(["a", "b"])
    const connection = lab.open("a", "b")
    lab.network.apply({ _tag: "capacity", pairs: [["a", "b"]], bytesPerSecond: 20_000 })
    // One message takes 52 s; it is seen that the far end reads.
    for (let n = 0; n < 2; n++) lab.say(connection, 0, text(KIB * KIB))
    lab.run(200_000)
    assert.deepStrictEqual(lab.words("a"), [])
    assert.lengthOf(lab.words("b"), 2)
  })

  it("does not see what a path of 1 kB/s brings, and gives it up", () => {
    const lab = new Lab(["a", "b"])
    const connection = lab.open("a", "b")
    lab.network.apply({ _tag: "capacity", pairs: [["a", "b"]], bytesPerSecond: 1_000 })
    lab.say(connection, 0, text(KIB * KIB))
    lab.run(9_999)
    assert.deepStrictEqual(lab.words("a"), [])
    lab.run(1)
    assert.deepStrictEqual(lab.words("a"), ["timeout"])
  })

  it("begins to count anew with what waits after everything had got through", () => {
    const lab = new Lab(["a", "b"])
    const connection = lab.open("a", "b")
    const id = lab.network.apply({ _tag: "cut", pairs: [["a", "b"]] })
    const beganMs = lab.nowMs
    for (let n = 0; n < 600; n++) lab.say(connection, 0, text(KIB))
    lab.run(5_000)
    lab.network.undo(id)
    lab.run(4_000)
    assert.lengthOf(lab.words("b"), 600)
    assert.strictEqual(lab.network.buffered(connection, 0), 0)
    lab.network.apply({ _tag: "cut", pairs: [["a", "b"]] })
    for (let n = 0; n < 600; n++) lab.say(connection, 0, text(KIB))
    lab.run(60_000)
    assert.strictEqual(lab.whenMs("a", "timeout"), beganMs + 9_000 + 10_000)
  })
})
