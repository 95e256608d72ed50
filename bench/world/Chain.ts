/**
 * Three real nodes in a chain: the middle one is the shipped process, the ends are kernels of ours in this process, with the real
 * transport, keys and state directories. A frame is signed at one end, checked in the middle and at the other end.
 *
 * Frames a second are of a device of generation 1, without signatures, because those would measure the key store (`--steps` does):
 * never more under way than a lane holds, so that none is lost.
 */
import { randomUUID } from "node:crypto"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type { ContextFrame } from "../../kernel/wire/ContextFrame.ts"
import { median, quantile } from "../Measure.ts"
import { build, Farm, freePorts } from "../node/Daemon.ts"
import { meet, type FarEnd, type Talk } from "../node/Dialler.ts"

export interface ChainFigures {
  readonly p50Ms: number
  readonly p99Ms: number
  readonly framesPerSecond: number
}

const FRAMES = 400
const WARM_UP = 100
const FLOOD = 20_000
const FLOODS = 5
const UNDER_WAY_MAX = 48

export const measureChain = async (): Promise<ChainFigures> => {
  build()
  const farm = new Farm()
  try {
    return await measured(farm)
  } finally {
    farm.close()
  }
}

const measured = async (farm: Farm): Promise<ChainFigures> => {
  const [port] = await freePorts(1)
  const [first, third, old] = ["first", "third", "old"].map((name) => farm.id(name))
  const deviceId = farm.id("middle")
  await farm.start("middle", ["--role", "planner", "--port", String(port)])
  for (const [id, name] of [
    [first!, "first"],
    [third!, "third"]
  ] as const)
    farm.tool("middle", "trust", "add", id, "--role", "field", "--name", name)
  farm.tool("middle", "trust", "add", old!, "--role", "field", "--name", "old", "--gen1")
  const far = (others: FarEnd["others"] & {}): FarEnd => ({
    deviceId,
    address: `wss://127.0.0.1:${port}`,
    meshKey: farm.meshKey("middle"),
    others
  })
  let figures: ChainFigures | null = null
  const ready = Effect.runSync(Deferred.make<Talk>())
  const over = Effect.runSync(Deferred.make<void>())
  await Effect.runPromise(
    Effect.all(
      [
        meet(
          farm.place("third"),
          far([
            { deviceId: first!, gen1: false },
            { deviceId: old!, gen1: true }
          ]),
          (talk) => Effect.andThen(Deferred.succeed(ready, talk), Deferred.await(over))
        ),
        meet(farm.place("first"), far([{ deviceId: old!, gen1: true }]), (talk) =>
          Effect.gen(function* () {
            const end = yield* Deferred.await(ready)
            figures = yield* Effect.promise(() => through(talk, end, old!))
            yield* Deferred.succeed(over, undefined)
          })
        )
      ],
      { concurrency: 2 }
    )
  )
  if (figures === null) throw new Error("nothing was measured")
  return figures
}

/** Settles when the far end holds so many. */
const waiter = (end: Talk): ((count: number) => Promise<void>) => {
  let wanted = Number.POSITIVE_INFINITY
  let settle = (): void => {}
  end.onStep(({ world }) => {
    if (world.held >= wanted) settle()
  })
  return (count) => {
    if (end.state().world.held >= count) return Promise.resolve()
    wanted = count
    return new Promise<void>((done) => {
      settle = done
    })
  }
}

const through = async (begin: Talk, end: Talk, old: string): Promise<ChainFigures> => {
  const holds = waiter(end)
  const times: Array<number> = []
  let held = end.state().world.held
  for (let i = 0; i < FRAMES; i++) {
    const startedMs = performance.now()
    const data = { zone: "zone-1", metric: "moisture", value: i }
    await Effect.runPromise(begin.offer({ _tag: "Sensed", frameId: randomUUID(), kind: "observation", data }))
    await holds((held += 1))
    if (i >= WARM_UP) times.push(performance.now() - startedMs)
  }
  const rates: Array<number> = []
  for (let flood = 0; flood < FLOODS; flood++) {
    const startedMs = performance.now()
    const from = held
    for (let i = 1; i <= FLOOD; i++) {
      const payload: ContextFrame = {
        gen: 1,
        kind: "observation",
        frameId: `flood-${flood}-${i}`,
        sourceDeviceId: old,
        timestamp: flood * FLOOD + i,
        data: { zone: "zone-1", metric: "moisture", value: i },
        trust: { evidence_sources: ["sensor"], evidence_trust_tier: "T2_operational_observation" },
        hops: 1
      }
      Effect.runSync(begin.send({ type: "event", event: "context.frame", payload }))
      if (i >= UNDER_WAY_MAX) await holds(from + i - UNDER_WAY_MAX + 1)
    }
    await holds((held += FLOOD))
    rates.push((1_000 * FLOOD) / (performance.now() - startedMs))
  }
  const sorted = times.toSorted((a, b) => a - b)
  return {
    p50Ms: median(sorted),
    p99Ms: quantile(sorted, 0.99),
    framesPerSecond: median(rates)
  }
}
