/**
 * What the mesh knows: how long two sides that were apart take to know the same, and what that costs; how many frames one node takes
 * in, without signatures and with real ones; what it costs to keep and to ask for ten thousand entries; and how quickly a frame goes
 * through real nodes.
 *
 * Each line is measured against its bound. `--assert`: bounds that do not hold are a failure, and named.
 */
import { spawnSync } from "node:child_process"
import { machine, rounded } from "./Measure.ts"
import { type Bound, close, lineOf } from "./node/Bound.ts"
import { day, halves } from "./world/outages.ts"
import { measureChain } from "./world/Chain.ts"
import { type Asked, taken } from "./world/steps.ts"

export const about =
  "what the mesh knows: outages, frames a second, signatures, ten thousand entries, a chain (minutes)"
export const flags = ["--assert", "--outages", "--steps", "--chain"]

/** In a process of its own, whose garbage can be collected before it is weighed. */
const askedApart = (): Asked => {
  const code = `import { asked } from "${import.meta.dirname}/world/steps.ts"; console.log(JSON.stringify(asked()))`
  const { status, stderr, stdout } = spawnSync(process.execPath, ["--expose-gc", "--input-type=module", "-e", code], {
    encoding: "utf8"
  })
  if (status !== 0) throw new Error(stderr)
  return JSON.parse(stdout) as Asked
}

export const run = async (given: ReadonlyArray<string>): Promise<void> => {
  console.log(machine())
  const chosen = given.filter((flag) => flag !== "--assert")
  const wants = (flag: string): boolean => chosen.length === 0 || chosen.includes(flag)
  const bounds: Array<Bound> = []
  const say = (...said: ReadonlyArray<Bound>): void => {
    bounds.push(...said)
    for (const bound of said) console.log(lineOf(bound))
  }
  if (wants("--steps")) {
    console.log("\nframes through `step`, one core")
    const { checked, checkingAlone, checkingBatch, live, paged, signing, unsigned } = taken()
    say(
      { what: "without signatures, live", value: unsigned, atLeast: 200_000, unit: "/s" },
      { what: "with real Ed25519, live", value: checked, atLeast: 5_000, unit: "/s" }
    )
    console.log(`    signatures believed, live, one check a frame     ${rounded(live)}/s`)
    console.log(`    signatures believed, by pages of 25              ${rounded(paged)}/s`)
    console.log(`    the key store alone: signing                     ${rounded(signing)}/s`)
    console.log(`    checking, one in a call                          ${rounded(checkingAlone)}/s`)
    console.log(`    checking, 64 in a call                           ${rounded(checkingBatch)}/s`)
    console.log("\nten thousand entries")
    const { megabytes, p99Ms } = askedApart()
    say(
      { what: "mesh.world.query, p99", value: p99Ms, atMost: 5, unit: "ms" },
      { what: "more memory", value: megabytes, atMost: 50, unit: "MB" }
    )
  }
  if (wants("--outages")) {
    console.log("\nten nodes in two halves for five minutes, ten thousand frames on each side, 10 Mbit/s")
    const apart = halves()
    say(
      { what: "equal after the heal", value: apart.equalMs / 1_000, atMost: 10, unit: "s" },
      { what: "bytes, of what was missing", value: apart.ratio, atMost: 1.5, unit: "times" }
    )
    console.log("\ntwo nodes apart for a day, a hundred thousand frames, 10 Mbit/s")
    const long = day()
    console.log(
      `    equal after the heal                             ${rounded(long.equalMs / 1_000)} s, ${rounded(long.frames)} frames`
    )
    say(
      { what: "a heartbeat is late by", value: long.heartbeatLateMs / 1_000, atMost: 1, unit: "s" },
      { what: "kept for the far end of a link", value: long.unreadBytes / 2 ** 20, atMost: 5, unit: "MiB" }
    )
  }
  if (wants("--chain")) {
    console.log("\nthree nodes in a chain over TLS on loopback; the middle one is the shipped process")
    const chain = await measureChain()
    say(
      { what: "a frame reaches the third, p50", value: chain.p50Ms, atMost: 5, unit: "ms" },
      { what: "small frames through the middle", value: chain.framesPerSecond, atLeast: 10_000, unit: "/s" }
    )
    console.log(`    a frame reaches the third, p99                   ${rounded(chain.p99Ms)} ms`)
  }
  close(bounds, given)
}
