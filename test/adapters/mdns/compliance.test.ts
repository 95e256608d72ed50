/** mDNS keeps the contract that the simulated segment keeps: the real libraries over a network in memory and a clock that is moved. */
import os from "node:os"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Scope from "effect/Scope"
import { vi } from "vitest"
import type { News } from "../../../adapters/mdns/Cache.ts"
import { layer } from "../../../adapters/mdns/Discovery.ts"
import type { Happened } from "../../../kernel/Input.ts"
import { Discovery, Inbox } from "../../../kernel/Ports.ts"
import { discoveryCompliance, type Member, type Segment } from "../../compliance/discovery.ts"
import { Ether } from "./Ether.ts"

/** Only what adapters/mdns and its libraries tell time by: fibers go on. */
const FAKED = ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "performance"] as const

const makeRealSegment = (): Segment => {
  vi.useFakeTimers({ toFake: [...FAKED] })
  vi.spyOn(os, "networkInterfaces").mockReturnValue({
    eth0: [
      {
        address: "192.168.7.99",
        family: "IPv4",
        internal: false,
        netmask: "255.255.255.0",
        mac: "02:00:00:00:00:01",
        cidr: null
      }
    ]
  })
  const ether = new Ether()
  const hosts = new Map<string, string>()
  const hostOf = (self: string): string => {
    const host = hosts.get(self) ?? `192.168.7.${hosts.size + 1}`
    hosts.set(self, host)
    return host
  }
  const stops: Array<() => Promise<void>> = []
  const wait = async (ms: number): Promise<void> => {
    await vi.advanceTimersByTimeAsync(ms)
  }
  return {
    join: async (self) => {
      const host = hostOf(self)
      const inbox = Effect.runSync(Queue.bounded<Happened>(64))
      const scope = Effect.runSync(Scope.make())
      const ports = await Effect.runPromise(
        layer({ self, version: "0.3.0", openAir: ether.at(host) }).pipe(
          Layer.provide(Layer.succeed(Inbox, inbox)),
          Layer.buildWithScope(scope)
        )
      )
      // The air opens a millisecond later.
      await wait(2)
      let stopped: Promise<void> | null = null
      const stop = (): Promise<void> => (stopped ??= Effect.runPromise(Scope.close(scope, Exit.void)))
      stops.push(stop)
      const told: Array<News> = []
      const member: Member = {
        discovery: Context.get(ports, Discovery),
        at: (port) => `${host}:${port}`,
        get told() {
          for (const news of Effect.runSync(Queue.clear(inbox))) told.push(news as News)
          return told
        },
        stop,
        kill: () => ether.kill(host)
      }
      return member
    },
    cut: (a, b) => ether.cut(hostOf(a), hostOf(b)),
    heal: (a, b) => ether.heal(hostOf(a), hostOf(b)),
    wait,
    close: async () => {
      const all = Promise.all(stops.map((stop) => stop()))
      await wait(1_000)
      await all
      vi.useRealTimers()
      vi.restoreAllMocks()
    }
  }
}

discoveryCompliance("mDNS", makeRealSegment)
