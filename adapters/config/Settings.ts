/** What a node was told, by whomever, in the end: every setting has its value, and says where that comes from. */
import type { Model } from "./Model.ts"
import type { Person } from "../../kernel/Config.ts"
import type { StaticPeer } from "../../kernel/links/StaticPeer.ts"
import type { Rule } from "../../kernel/planning/Rule.ts"
import type { Profile } from "../../kernel/Profile.ts"
import type { DeviceId, Role } from "../../kernel/wire/Frame.ts"
import type { OwnedActuator } from "./Actuators.ts"
import type { Farm } from "./Farm.ts"
import type { Key } from "./NodeFile.ts"
import type { Origin } from "./Origin.ts"
import type { Place } from "../relay/Client.ts"
import type { Sensor } from "./Sensors.ts"

export interface Settings {
  readonly name: string
  readonly role: Role
  /** At most one of `meshName` and `meshId` is there. Neither: the id is the one kept in the state directory, or made. */
  readonly meshName: string | null
  readonly meshId: string | null
  /** Raw Ed25519 key, base64url; `null`: the one kept in the state directory, and the first start makes one. */
  readonly meshKey: string | null
  /** Listens on this address. */
  readonly host: string
  /** 0: any that is free. */
  readonly port: number
  /** Absolute. */
  readonly stateDirectory: string
  /** In their order; one device may stand there twice, of which the preflight warns. */
  readonly peers: ReadonlyArray<StaticPeer>
  /** Through which it meets others, in their order. */
  readonly relays: ReadonlyArray<Place>
  /** Absolute; `null`: there is none. */
  readonly relayTokenFile: string | null
  readonly relayGrants: ReadonlyArray<string>
  readonly discovery: boolean
  /** Sorted, without doubles. */
  readonly electors: ReadonlyArray<DeviceId>
  /** Whose decisions count; none: anybody's. */
  readonly persons: ReadonlyArray<Person>
  /** From 1. */
  readonly manifestVersion: number
  readonly profile: Profile["name"]
  readonly capabilities: ReadonlyArray<string>
  /** Of 127.0.0.1; 0: any that is free; `null`: nothing is told there. */
  readonly metricsPort: number | null
  readonly watchdog: boolean
  /** As much of the disk as the recording may take, bytes; 0: nothing is recorded. */
  readonly recordingBytes: number
  readonly logFormat: "json" | "readable"
  /** What this node moves; in the file only. */
  readonly actuators: ReadonlyArray<OwnedActuator>
  /** What it reads; in the file only. */
  readonly sensors: ReadonlyArray<Sensor>
  /** What it proposes by itself: of the file, and of the farm. */
  readonly rules: ReadonlyArray<Rule>
  /** The language model that rules may ask; `null`: there is none. */
  readonly model: Model | null
  /** Where the farm that it is a part of is described, absolute; `null`: nothing is said of one, and so for what is described. */
  readonly farmFile: string | null
  readonly farm: Farm | null

  /** The file that was read, absolute. */
  readonly file: string | null
  readonly origins: { readonly [K in Key]: Origin }
  /** Of each peer, in their order: what is wrong with one is told where it stands. */
  readonly peerOrigins: ReadonlyArray<Origin>
}
