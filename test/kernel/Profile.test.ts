import { assert, describe, it } from "@effect/vitest"
import { profiles } from "../../kernel/Profile.ts"
import { detectionMs } from "../../sim/oracles/Bounds.ts"

/** How wrong the rate of a clock may be, either way (the fault model of L1 and S1). */
const RATE_ERROR = 0.3
const slowest = 1 - RATE_ERROR
const fastest = 1 + RATE_ERROR

describe.each(Object.entries(profiles))("profile %s", (name, profile) => {
  it("carries its own name, and nothing but positive whole numbers", () => {
    assert.strictEqual(profile.name, name)
    for (const [key, value] of Object.entries(profile))
      for (const number of [value].flat())
        if (typeof number !== "string") assert.isTrue(Number.isSafeInteger(number) && number > 0, key)
  })

  it("S1: a lease on the slowest clock ends before a promise on the fastest", () => {
    assert.isBelow(profile.leaseMs / slowest, profile.promiseMs / fastest)
  })

  it("P7.5: two heartbeats fit into a lease, so that one may be lost", () => {
    assert.isAtMost(2 * profile.leadMs, profile.leaseMs)
  })

  it("P7.4: four heartbeats fit into a promise, so that no voter stands against a leader that lives", () => {
    assert.isAtMost(4 * profile.leadMs, profile.promiseMs)
  })

  it("a stall voids the lease long before the lease would end by itself", () => {
    assert.isAbove(profile.stallVoidsLeaseMs, profile.stallMs)
    assert.isBelow(profile.stallVoidsLeaseMs, profile.leaseMs)
  })

  it("B22: the second in rank has stood before the first tries again, and retries slow down", () => {
    assert.isAtMost(profile.rankMs, profile.candidacyMs)
    assert.isBelow(profile.candidacyMs, profile.candidacyMaxMs)
  })

  it("B2: probe deadlines are in order, and few observers ask more often than many", () => {
    assert.isAtMost(profile.probeDeadlineMinMs, profile.probeDeadlineMs)
    assert.isAtMost(profile.probeDeadlineMs, profile.probeDeadlineMaxMs)
    assert.isAbove(profile.missesToBadFewObservers, profile.missesToBad)
    assert.isAtLeast(profile.missesToTerminate, profile.missesToBadFewObservers)
    assert.isBelow(profile.probeDeadlineMs, profile.beatMs)
  })

  it("S11: a link that is probed now and then is given up no later than one that is probed at each beat may be", () => {
    const { beatMs, missesToTerminate, probeDeadlineMaxMs, slowBeats } = profile
    const slowly = slowBeats * beatMs + probeDeadlineMaxMs + (missesToTerminate - 1) * beatMs + probeDeadlineMaxMs
    assert.isAtMost(slowly, detectionMs(profile))
  })

  it("the probation grows with each flap", () => {
    const { probationMs } = profile
    for (let i = 1; i < probationMs.length; i++) assert.isAbove(probationMs[i]!, probationMs[i - 1]!)
  })

  it("P3.8, P3.10: the backoff doubles below its bound, and a lasting refusal waits longer than any failure", () => {
    assert.isBelow(profile.redialMs, profile.redialMaxMs)
    assert.isBelow(profile.redialMaxMs, profile.redialRefusedMs)
    assert.isAbove(profile.redialResetMs, profile.redialMaxMs)
  })

  it("P5.1, P3.4: a nonce outlives the handshake it is for, and so does the question whether a session still answers", () => {
    assert.isAtLeast(profile.nonceMs, profile.handshakeMs)
    assert.isBelow(profile.displaceProbeMs, profile.handshakeMs)
  })
})

describe("profile lan", () => {
  const { beatMs, missesToBad, probeDeadlineMs, promiseMs, rankMs } = profiles.lan

  it("L1: many observers notice silence within three seconds of it", () => {
    // A probe may have been answered just before: then the misses are of the next beats.
    assert.isBelow(missesToBad * beatMs + probeDeadlineMs, 3_000)
  })

  it("L3: the first in rank stands within 0.3 s after the promise to the dead leader", () => {
    assert.isAtMost(promiseMs + rankMs / 2, 2_700)
  })
})
