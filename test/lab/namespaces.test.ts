/** The lab itself: two hosts on a cable, on a machine that stays as it was. Every other lab test stands on this one. */
import { assert, describe, it } from "@effect/vitest"
import { spawn } from "node:child_process"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { Lab } from "./Lab.ts"
import { Device, until } from "./Segment.ts"

describe("two hosts on a cable", () => {
  const one = "10.77.0.1"
  const other = "10.77.0.2"

  const cabled = (lab: Lab) => {
    const hosts = { nano: lab.host("nano"), laptop: lab.host("laptop") }
    lab.join(hosts.nano, `${one}/24`, hosts.laptop, `${other}/24`)
    return hosts
  }

  it("reach each other", () => {
    using lab = new Lab()
    const { laptop, nano } = cabled(lab)
    assert.isTrue(nano.reaches(other))
    assert.isTrue(laptop.reaches(one))
  })

  it("do not reach each other once the link is down, and do again when it is up", () => {
    using lab = new Lab()
    const { laptop, nano } = cabled(lab)
    nano.ip("link", "set", "eth0", "down")
    assert.isFalse(nano.reaches(other))
    assert.isFalse(laptop.reaches(one))
    nano.ip("link", "set", "eth0", "up")
    assert.isTrue(nano.reaches(other))
  })

  it("know no way out", () => {
    using lab = new Lab()
    const { laptop, nano } = cabled(lab)
    assert.strictEqual(nano.ip("route", "show", "default"), "")
    assert.strictEqual(laptop.ip("route", "show", "default"), "")
  })

  it("are gone when the lab closes, also when a test fails", () => {
    let lab: Lab | undefined
    try {
      using failing = new Lab()
      lab = failing
      cabled(failing)
      assert.strictEqual(failing.namespaces().length, 2)
      throw new Error("a test fails")
    } catch (error) {
      assert.strictEqual((error as Error).message, "a test fails")
    }
    assert.deepStrictEqual(lab?.namespaces(), [])
  })

  it("are removed by the next lab, with all that runs on them, when their own lab was killed", async () => {
    const lab = join(import.meta.dirname, "Lab.ts")
    const script = `import { spawn } from "node:child_process"
      const { Lab } = await import(${JSON.stringify(lab)})
      const { namespace } = new Lab().host("left")
      const { pid, stdout } = spawn("ip", ["netns", "exec", namespace, "sh", "-c", "echo; exec sleep 600"])
      stdout.once("data", () => console.log(JSON.stringify({ namespace, pid })))
      setInterval(() => {}, 1_000)`
    const doomed = new Device(spawn(process.execPath, ["--input-type=module", "-e", script]))
    const { namespace, pid } = await doomed.says("its lab is there", 20_000, (line) => line["pid"] !== undefined)
    await doomed.kill("SIGKILL")
    const isAlive = () => existsSync(`/proc/${Number(pid)}/net`)
    assert.isTrue(isAlive(), "nobody has ended it yet")
    using next = new Lab()
    await until(
      "what ran there is gone",
      5_000,
      () => !isAlive(),
      () => String(pid)
    )
    assert.isFalse(existsSync(`/run/netns/${String(namespace)}`))
    assert.deepStrictEqual(next.namespaces(), [])
  })
})
