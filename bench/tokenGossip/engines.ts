/**
 * Token gossip on our agenda and on three peers, each used in the fastest way that we found.
 */
import { createClock } from "@sinonjs/fake-timers"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as fc from "fast-check"
import { Agenda } from "../../sim/engine/Agenda.ts"
import type { Engine, Token } from "./Job.ts"

export const agenda: Engine = {
  name: "agenda (ours)",
  keepsTime: true,
  run: (job) => {
    const queue = new Agenda<Token>()
    const push = (token: Token) => queue.push(token.atMs, token)
    for (let node = 0; node < job.nodes; node++) push(job.send(node, 0))
    while (!job.done() && queue.next()) {
      const token = queue.payload!
      job.deliver(token)
      push(job.send(token.to, queue.atMs))
    }
  }
}

export const fakeTimers: Engine = {
  name: "@sinonjs/fake-timers",
  keepsTime: true,
  run: (job) => {
    const clock = createClock(0, Number.POSITIVE_INFINITY)
    const start = (token: Token): unknown =>
      clock.setTimeout(() => {
        job.deliver(token)
        start(job.send(token.to, clock.now))
      }, token.atMs - clock.now)
    for (let node = 0; node < job.nodes; node++) start(job.send(node, 0))
    while (!job.done()) clock.next()
  }
}

/**
 * A scheduler without time: it picks any token that is on its way. `waitOne`, though deprecated, since it is several times as
 * fast as `waitNext`.
 */
export const fastCheckScheduler: Engine = {
  name: "fast-check scheduler",
  keepsTime: false,
  run: async (job) => {
    const scheduler = fc.sample(fc.scheduler(), { numRuns: 1, seed: 1 })[0]!
    const start = (token: Token): unknown =>
      scheduler.schedule(Promise.resolve()).then(() => {
        if (job.done()) return
        job.deliver(token)
        start(job.send(token.to, token.atMs))
      })
    for (let node = 0; node < job.nodes; node++) start(job.send(node, 0))
    while (!job.done()) await scheduler.waitOne()
  }
}

/** One fiber a token, which sleeps while it is on its way. */
export const effectTestClock: Engine = {
  name: "Effect TestClock",
  keepsTime: true,
  run: (job) => {
    const wander = (first: Token) =>
      Effect.gen(function* () {
        let token = first
        let nowMs = 0
        for (;;) {
          yield* Effect.sleep(token.atMs - nowMs)
          if (job.done()) return
          nowMs = token.atMs
          job.deliver(token)
          token = job.send(token.to, token.atMs)
        }
      })
    return Effect.runPromise(
      Effect.gen(function* () {
        for (let node = 0; node < job.nodes; node++) yield* Effect.forkChild(wander(job.send(node, 0)))
        while (!job.done()) yield* TestClock.adjust("1 hour")
      }).pipe(Effect.scoped, Effect.provide(TestClock.layer()))
    )
  }
}
