/**
 * Where devices are, as the kernel is told: what discovery says of each, and behind that the tunnels to those that are trusted.
 *
 * Promises: nothing is told twice; a device that discovery loses keeps its tunnels, and one whose relay is lost keeps its
 * addresses. Devices of generation 1 have no identity that could be proved through a relay, and none is offered for them.
 */
import type { Happened } from "../../kernel/Input.ts"
import { tunnelOf } from "../../kernel/links/Tunnel.ts"
import { ADDRESSES_MAX } from "../../kernel/links/Sightings.ts"

type Sighted = Extract<Happened, { readonly _tag: "Sighted" }>

interface Device {
  readonly deviceId: string
  readonly gen1: boolean
}

/** Records that are remembered for the day on which their devices are trusted. */
const RECORDS_MAX = 256

export class Offers {
  private readonly records = new Map<string, Sighted>()
  private trusted: ReadonlyArray<Device> = []
  private tunnels: ReadonlyArray<string> = []

  private of(deviceId: string): Happened {
    const record = this.records.get(deviceId)
    const tunnels = this.trusted.some((one) => one.deviceId === deviceId && !one.gen1) ? this.tunnels : []
    if (record === undefined && tunnels.length === 0) return { _tag: "Lost", deviceId }
    const seen: Sighted = record ?? { _tag: "Sighted", deviceId, name: "", addresses: [], gen: 1 }
    return { ...seen, addresses: [...seen.addresses.slice(0, ADDRESSES_MAX - tunnels.length), ...tunnels] }
  }

  /** What discovery tells, as it is to be told on. */
  heard(news: Happened): Happened {
    if (news._tag === "Lost") this.records.delete(news.deviceId)
    else if (news._tag === "Sighted") {
      if (this.records.size < RECORDS_MAX || this.records.has(news.deviceId)) this.records.set(news.deviceId, news)
      else return news
    } else return news
    return this.of(news.deviceId)
  }

  /** Whom the node trusts now. */
  trust(devices: ReadonlyArray<Device>): ReadonlyArray<Happened> {
    const before = this.trusted
    this.trusted = devices
    if (this.tunnels.length === 0) return []
    return devices
      .filter((one) => !one.gen1 && !before.some(({ deviceId, gen1 }) => deviceId === one.deviceId && !gen1))
      .map(({ deviceId }) => this.of(deviceId))
  }

  /** Which relays can be used now. */
  relays(relayIds: ReadonlyArray<string>): ReadonlyArray<Happened> {
    this.tunnels = relayIds.map(tunnelOf)
    return this.trusted.filter(({ gen1 }) => !gen1).map(({ deviceId }) => this.of(deviceId))
  }
}
