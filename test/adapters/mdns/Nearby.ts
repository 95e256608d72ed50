/** The cache with a clock of its own, for tests: packets at times, and everything that it told and asked. */
import {
  type Cache,
  empty,
  heard,
  type News,
  type Question,
  type Settings,
  ticked,
  wakeAt
} from "../../../adapters/mdns/Cache.ts"
import type { Packet } from "../../../adapters/mdns/Records.ts"

export class Nearby {
  cache: Cache = empty
  now = 0
  readonly settings: Settings
  readonly asked: Array<Question & { readonly at: number }> = []
  readonly told: Array<News & { readonly at: number }> = []

  constructor(settings: Partial<Settings> = {}) {
    this.settings = { self: "f".repeat(64), silentMaxMs: 120_000, refreshAt: 0.8, ...settings }
  }

  /** What the packet makes known at once. */
  hear(packet: Packet, source = "192.168.1.50"): ReadonlyArray<News> {
    const step = heard(this.cache, this.settings, packet, source, this.now)
    this.cache = step.cache
    this.told.push(...step.news.map((news) => ({ ...news, at: this.now })))
    return step.news
  }

  /** Lets `ms` pass, waking when there is something to do; what became known meanwhile. */
  wait(ms: number): ReadonlyArray<News & { readonly at: number }> {
    const before = this.told.length
    const end = this.now + ms
    for (let turns = 0; ; turns++) {
      const next = Math.ceil(wakeAt(this.cache, this.settings))
      if (next > end) break
      if (turns > 10_000) throw new Error("the cache does not come to rest")
      this.now = Math.max(this.now, next)
      const step = ticked(this.cache, this.settings, this.now)
      this.cache = step.cache
      this.asked.push(...step.questions.map((question) => ({ ...question, at: this.now })))
      this.told.push(...step.news.map((news) => ({ ...news, at: this.now })))
    }
    this.now = end
    return this.told.slice(before)
  }

  /** The questions since the last call, as `SRV nano._clawmesh._tcp.local`. */
  questions(): ReadonlyArray<string> {
    return this.asked.splice(0).map(({ name, type }) => `${type} ${name}`)
  }
}
