/**
 * A network segment in memory, behind the same seam as the real socket: who opens an air on it hears everybody, itself too, a
 * millisecond later. Meant for a clock that a test moves.
 */
import { decode, type DecodedPacket, encode, type Packet } from "dns-packet"
import type { OpenAir } from "../../../adapters/mdns/Air.ts"
import { type News } from "../../../adapters/mdns/Cache.ts"
import { Mdns, type Options } from "../../../adapters/mdns/Mdns.ts"
import type { Announced } from "../../../adapters/mdns/Records.ts"

interface Member {
  address: string
  heard: (packet: Buffer, source: { address: string; port: number }) => void
}

export interface Said extends DecodedPacket {
  readonly from: string
  readonly bytes: Buffer
}

const PORT = 5353

export class Ether {
  readonly members = new Set<Member>()
  readonly said: Array<Said> = []
  /** Packets of which this is true reach nobody. */
  isLost: (packet: Said) => boolean = () => false
  /** Pairs of addresses that do not hear each other. */
  private readonly apart = new Set<string>()

  /** How to open an air at an address. */
  at(address: string): OpenAir {
    return (ears) => {
      const member = { address, heard: ears.heard }
      setTimeout(() => {
        this.members.add(member)
        ears.open()
      }, 1)
      return {
        say: (packet) => {
          if (this.members.has(member)) this.say(member.address, Buffer.from(packet))
        },
        join: () => {},
        trouble: () => null,
        close: async () => {
          this.members.delete(member)
        }
      }
    }
  }

  /** Whoever has this address is gone from one moment to the next. */
  kill(address: string): void {
    for (const member of this.members) if (member.address === address) this.members.delete(member)
  }

  move(address: string, to: string): void {
    for (const member of this.members) if (member.address === address) member.address = to
  }

  cut(a: string, b: string): void {
    for (const pair of [`${a} ${b}`, `${b} ${a}`]) this.apart.add(pair)
  }

  heal(a: string, b: string): void {
    for (const pair of [`${a} ${b}`, `${b} ${a}`]) this.apart.delete(pair)
  }

  /** A packet of somebody who need not be a member. */
  say(from: string, packet: Buffer | Packet, port = PORT): void {
    const bytes = Buffer.isBuffer(packet) ? packet : encode(packet)
    let said: Said | null = null
    try {
      said = { ...decode(bytes), from, bytes }
      this.said.push(said)
    } catch {
      // Nonsense is carried too.
    }
    if (said !== null && this.isLost(said)) return
    const members = [...this.members].filter(({ address }) => !this.apart.has(`${from} ${address}`))
    setTimeout(() => {
      for (const member of members) member.heard(Buffer.from(bytes), { address: from, port })
    }, 1)
  }

  /** Responses from this address that hold a record of this type. */
  responsesOf(from: string, type: string): ReadonlyArray<Said> {
    return this.said.filter(
      (packet) =>
        packet.from === from &&
        packet.type === "response" &&
        [...(packet.answers ?? []), ...(packet.additionals ?? [])].some((record) => record.type === type)
    )
  }
}

export interface Node {
  readonly mdns: Mdns
  readonly told: Array<News>
}

export const announced = (deviceId: string, name: string, port = 18_789): Announced => ({
  deviceId,
  name,
  gen: 2,
  port
})

/** A device on the ether that publishes and browses. */
export const node = (ether: Ether, address: string, record: Announced, options: Partial<Options> = {}): Node => {
  const told: Array<News> = []
  const mdns = new Mdns(
    { self: record.deviceId, version: "0.3.0", openAir: ether.at(address), ...options },
    (news) => told.push(news) > 0
  )
  mdns.advertise(record)
  return { mdns, told }
}
