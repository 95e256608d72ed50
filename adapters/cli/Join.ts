/**
 * `clawmesh join`: finds the node that invites, proves to know its code, and becomes a device of its mesh. A device that is in that mesh already
 * comes to trust one more node of it in the same way, also while its own node runs.
 *
 * Promises: until the welcome is there nothing is written but, where a state directory is there already, what `clawmesh init`
 * would have. `mesh.json` comes last, as a whole: a device belongs to the mesh, and trusts who invited it, or it belongs to none.
 */
import { existsSync, readFileSync, statSync } from "node:fs"
import { join as joinPath, resolve } from "node:path"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import type { Challenge, Grant } from "../../kernel/pairing/Ceremony.ts"
import { readCode } from "../../kernel/pairing/Code.ts"
import type { Role } from "../../kernel/wire/Frame.ts"
import { printable } from "../config/Printable.ts"
import { defaultName, PORT } from "../config/read.ts"
import { generate } from "../keys/Keys.ts"
import * as Mesh from "../node/Mesh.ts"
import * as Api from "../operator/Api.ts"
import { failure, type Failure } from "../operator/Failure.ts"
import { nameProblem } from "../operator/Trusting.ts"
import * as Guest from "../pairing/Guest.ts"
import { isLink, readAddress, readLink, type Link } from "../pairing/Link.ts"
import { credentialsOf } from "../tls/Certificate.ts"
import { Files } from "../vault/Files.ts"
import * as IdentityFile from "../vault/Identity.ts"
import type { Identity } from "../vault/Identity.ts"
import * as StateDirectory from "../vault/StateDirectory.ts"
import { unusable } from "../vault/Vault.ts"
import type { Order } from "./Arguments.ts"
import { ask } from "./Client.ts"
import { type Errand, told, type Work } from "./Errand.ts"
import { canMake, elsewhere, isEmpty, meshIn, meshWords, refusedState } from "./Place.ts"
import { fact, type Look, shellWord, styled } from "./Text.ts"

/** Of a file with an invite. */
const FILE_BYTES_MAX = 4_096
/** How long mDNS is listened to: its first questions are answered within a second, and repeated after one, two and four. */
const FIND_MS_MAX = 10_000
/** What was answered to a knock may have been lost on the way: the same device is answered again (P19.6). */
const TRIES_MAX = 3
const AGAIN_AFTER_MS = 500

const newInvite = "Make a new one, on a node of the mesh: clawmesh invite"

type JoinOrder = Extract<Order, { readonly _tag: "join" }>

/** A code, a link, or a file that holds one. */
const invitationOf = ({ at, code: word }: JoinOrder, cwd: string): Link | Failure => {
  const read = readCode(word)
  let link: Link
  if (read._tag === "Code") link = { code: read.code, meshName: null, host: null, addresses: [] }
  else {
    const path = resolve(cwd, word)
    const isFile = !isLink(word) && existsSync(path)
    if (!isLink(word) && !isFile)
      return failure(
        "WRONG_USE",
        `this is no code, and no file: a code ${read.why}`,
        "Nothing was sent. Look at it again, and type: clawmesh join CODE"
      )
    let text = word
    try {
      if (isFile) text = statSync(path).size > FILE_BYTES_MAX ? "" : readFileSync(path, "utf8").trim()
    } catch (error) {
      return failure("NOT_ALLOWED", `${path} cannot be read: ${(error as NodeJS.ErrnoException).code}`)
    }
    const found = readLink(text)
    if ("problem" in found) return failure("WRONG_USE", `this is no invite: ${found.problem}`, newInvite)
    link = found
  }
  if (at === null) return link
  return readAddress(at, PORT) === null
    ? failure("WRONG_USE", `--at ${at}: write an address and a port, such as 192.168.1.41:18789`)
    : { ...link, addresses: [at] }
}

interface Place {
  readonly address: Guest.Address
  /** What it calls itself, where that is known. */
  readonly name: string | null
}

const addressWords = ({ host, port }: Guest.Address): string => `${host.includes(":") ? `[${host}]` : host}:${port}`

/** What came of a place, as far as another one may do better. */
const passing = (came: Guest.Came): string | null => {
  switch (came._tag) {
    case "NoInvite":
      return "nobody is invited there now"
    case "Stranger":
    case "Unreachable":
      return came.why
    case "Refused":
      return came.refusal.code === "WRONG_CODE" ? "it knows no such code" : null
    default:
      return null
  }
}

const knock = (joining: Guest.Joining, { address }: Place): Effect.Effect<Guest.Came> =>
  Effect.gen(function* () {
    for (let n = 1; ; n++) {
      const came = yield* Guest.join(joining, address)
      if (came._tag !== "Unreachable" || !came.knocked || n >= TRIES_MAX) return came
      yield* Effect.sleep(AGAIN_AFTER_MS)
    }
  })

interface Met {
  readonly place: Place
  readonly came: Guest.Came
}

/** One place after another, until one is the right one or has the last word. */
const atAddresses = (joining: Guest.Joining, places: ReadonlyArray<Place>): Effect.Effect<ReadonlyArray<Met>> =>
  Effect.gen(function* () {
    const met: Array<Met> = []
    for (const place of places) {
      const came = yield* knock(joining, place)
      met.push({ place, came })
      if (passing(came) === null) break
    }
    return met
  })

/** Everybody whom mDNS finds, as they are found. */
const nearby = (joining: Guest.Joining): Effect.Effect<ReadonlyArray<Met>> =>
  Effect.scoped(
    Effect.gen(function* () {
      const { Mdns } = yield* Effect.promise(() => import("../mdns/Mdns.ts"))
      const sightings = yield* Queue.bounded<Place>(64)
      yield* Effect.acquireRelease(
        Effect.sync(
          () =>
            new Mdns({ self: joining.deviceId, version: "0" }, (news) => {
              if (news._tag !== "Sighted") return true
              for (const text of news.addresses) {
                const address = readAddress(text)
                if (address !== null) Queue.offerUnsafe(sightings, { address, name: news.name })
              }
              return true
            })
        ),
        (mdns) => Effect.promise(() => mdns.close())
      )
      const met: Array<Met> = []
      const look = Effect.gen(function* () {
        while (true) {
          const place = yield* Queue.take(sightings)
          if (met.some((one) => addressWords(one.place.address) === addressWords(place.address))) continue
          const came = yield* knock(joining, place)
          met.push({ place, came })
          if (passing(came) === null) return
        }
      })
      yield* Effect.timeoutOption(look, FIND_MS_MAX)
      return met
    })
  )

const nowhere = (met: ReadonlyArray<Met>, byAddress: boolean): Failure => {
  const wrong = met.find(({ came }) => came._tag === "Refused")
  if (wrong?.came._tag === "Refused") {
    const { left } = wrong.came.refusal
    return failure(
      "REFUSED",
      `${addressWords(wrong.place.address)} knows no such code`,
      left === 0
        ? `That was the third wrong one, and its door is shut. ${newInvite}`
        : `Look at it again: ${left} more, and its door is shut`
    )
  }
  const tried = met.map(({ came, place }) => `  ${addressWords(place.address)}: ${passing(came) ?? ""}`)
  if (met.length > 0 && met.every(({ came }) => came._tag === "NoInvite"))
    return failure(
      "REFUSED",
      "nobody is invited now: the code was used, its time is over, or its door was shut",
      `${tried.join("\n")}\n${newInvite}`
    )
  const address = "Say where it is: clawmesh join CODE --at ADDRESS:PORT; clawmesh invite shows both"
  if (met.length === 0)
    return failure("DELIVERY_FAILED", `no node was found by mDNS within ${FIND_MS_MAX / 1_000} s`, address)
  return failure(
    met.some(({ came }) => came._tag === "Stranger") ? "REFUSED" : "DELIVERY_FAILED",
    `no node that invites was reached\n${tried.join("\n")}`,
    byAddress
      ? "Is its clawmesh-node running, and does a firewall let its port through? clawmesh status, there"
      : address
  )
}

/** The last word of a place that has one. */
const verdict = ({ came, place }: Met, state: string): Failure | null => {
  const where = addressWords(place.address)
  if (came._tag === "Objected")
    return failure("REFUSED", came.why, `To leave its mesh, stop clawmesh-node and move mesh.json out of ${state}`)
  if (came._tag !== "Refused") return null
  const { refusal } = came
  switch (refusal.code) {
    case "USED":
      return failure(
        "REFUSED",
        "this code was used, by another device",
        `If it was not yours: clawmesh trust list, there. ${newInvite}`
      )
    case "EXPIRED":
      return failure("REFUSED", "the time of this code is over", newInvite)
    case "SHUT":
      return failure("REFUSED", "its door was shut", newInvite)
    default:
      return failure("REFUSED", `${where} does not let this device in: ${refusal.message}`, newInvite)
  }
}

const peerOf = ({ host }: Grant, address: Guest.Address): string => `${host.id}=wss://${addressWords(address)}`

const standingOf = (grant: Grant, address: Guest.Address): Mesh.Kept =>
  Mesh.joining(grant.mesh, {
    name: grant.device.name,
    role: grant.device.role,
    peers: [peerOf(grant, address)],
    electors: grant.electors,
    manifestVersion: grant.manifestVersion,
    profile: grant.profile
  })

const hostEntry = ({ host: { id, name, publicKey, role } }: Grant) =>
  ({ _tag: "Trust", device: { deviceId: id, role, name, gen1: false, publicKey } }) as const

interface Joined {
  readonly $type: "clawmesh.joined/1"
  readonly mesh: Grant["mesh"]
  readonly device: Grant["device"]
  readonly trusts: Grant["host"]
  /** Where that is. */
  readonly address: string
  readonly state: string
  /** `false`: it was of that mesh before, and has met one more of it. */
  readonly isNew: boolean
}

const screen = ({ address, device, isNew, mesh, trusts }: Joined, stateFlag: string, look: Look): string => {
  if (look.quiet) return ""
  const moves = device.may.map((ref) => ref.replace(/^actuator:/u, ""))
  const lines = [
    styled(
      isNew ? `joined ${printable(mesh.name ?? mesh.id)}` : `${printable(trusts.name)} and this node trust each other`,
      "bold",
      look
    ),
    fact(
      "this node",
      `${printable(device.name)}, ${device.role}${moves.length === 0 ? "" : `, may move ${printable(moves.join(" "))}`}`,
      look
    ),
    fact("id", device.id, look),
    fact("trusts", `${printable(trusts.name)} (${trusts.role}) at ${address}`, look),
    "",
    ...(isNew
      ? ["Next:", `  clawmesh-node run${stateFlag}`]
      : ["They meet where mDNS finds them; elsewhere restart clawmesh-node, which then dials that address."])
  ]
  return `${lines.join("\n")}\n`
}

/** This device, before it knocks: who it is, in which mesh, and how what comes of it is kept. */
interface Self {
  readonly identity: Identity
  readonly name: string
  /** `null`: it is in no mesh, or nobody says what it is there. */
  readonly role: Role | null
  readonly mesh: Mesh.Kept | null
  /** Of a new device, with its mesh; of one that has one, with whom it is to trust besides. */
  readonly keep: (grant: Grant, address: Guest.Address) => Effect.Effect<void, Failure, Scope.Scope>
}

const identityIn = (state: string): Identity | null => {
  try {
    const decoded = IdentityFile.decode(readFileSync(joinPath(state, IdentityFile.IDENTITY)))
    return decoded._tag === "Identity" ? decoded.identity : null
  } catch {
    return null
  }
}

const append = (directory: StateDirectory.StateDirectory, grant: Grant): Effect.Effect<void, Failure> =>
  Effect.mapError(directory.vault.append(hostEntry(grant)), (error) => halfDone(error.message, grant))

const put = (state: string, kept: Mesh.Kept, grant: Grant): Effect.Effect<void, Failure, Scope.Scope> =>
  Effect.flatMap(Files.open(state), (files) =>
    Effect.mapError(Mesh.put(files, kept), (error) => halfDone(unusable(error).problem, grant))
  )

/** One more address to dial, where the node has its addresses from an invite. */
const withPeer = (mesh: Mesh.Kept, grant: Grant, address: Guest.Address): Mesh.Kept => {
  const { standing } = mesh
  if (standing === undefined) return mesh
  const others = standing.peers.filter((peer) => !peer.startsWith(grant.host.id))
  return { ...mesh, standing: { ...standing, peers: [...others, peerOf(grant, address)] } }
}

const newcomer = (errand: Errand, name: string): Effect.Effect<Self, Failure, Scope.Scope> =>
  Effect.gen(function* () {
    const { state } = errand
    const isNew = isEmpty(state)
    const [other] = isNew ? elsewhere(errand, state) : []
    if (other !== undefined)
      return yield* Effect.fail(
        failure(
          "REFUSED",
          `this machine has an identity already, in ${other}`,
          `To join with it: --state ${shellWord(other)}\nIf another device is meant: clawmesh init --second first`
        )
      )
    if (isNew) yield* canMake(state)
    const there = isNew ? null : yield* Effect.mapError(StateDirectory.open(state), refusedState)
    const identity = there?.identity ?? newIdentity()
    return {
      identity,
      name,
      role: null,
      mesh: null,
      keep: (grant, address) =>
        Effect.gen(function* () {
          const directory = there ?? (yield* Effect.mapError(StateDirectory.open(state, { identity }), refusedState))
          yield* append(directory, grant)
          yield* put(state, standingOf(grant, address), grant)
        })
    }
  })

/** Its node may run: then that is told whom to trust. */
const member = ({ socket, state }: Errand, mesh: Mesh.Kept, name: string): Effect.Effect<Self, Failure, Scope.Scope> =>
  Effect.gen(function* () {
    const opened = yield* StateDirectory.open(state).pipe(
      Effect.catchIf(
        ({ reason }) => reason === "Busy",
        () => Effect.succeed(null)
      ),
      Effect.mapError(refusedState)
    )
    if (opened !== null)
      return {
        identity: opened.identity,
        name: mesh.standing?.name ?? name,
        role: mesh.standing?.role ?? null,
        mesh,
        keep: (grant, address) =>
          Effect.andThen(append(opened, grant), put(state, withPeer(mesh, grant, address), grant))
      }
    const { node } = yield* ask(socket, { method: "GET", target: "/trust" }, Api.Trust)
    const identity = identityIn(state)
    if (identity === null)
      return yield* Effect.fail(
        failure("NOT_ALLOWED", `the identity in ${state} cannot be read`, "Try again with sudo")
      )
    return {
      identity,
      name: node.name,
      role: node.role,
      mesh,
      keep: (grant, address) => {
        const { id, name: called, publicKey, role } = grant.host
        const trust = (more: object) =>
          ask(
            socket,
            { method: "POST", target: "/trust", body: { id, role, gen1: false, publicKey, ...more } },
            Api.TrustChange
          )
        return trust({ name: called }).pipe(
          // Another device has that name here: it is trusted all the same, and may be renamed.
          Effect.catchIf(
            ({ code }) => code === "AMBIGUOUS",
            () => trust({})
          ),
          Effect.mapError(({ message }) => halfDone(message, grant)),
          Effect.andThen(put(state, withPeer(mesh, grant, address), grant))
        )
      }
    }
  })

/** What it thinks of the mesh of whoever answers, before it shows that it knows the code. */
const objection = (mesh: Mesh.Kept | null, { meshId, meshKey, meshName }: Challenge): string | null =>
  mesh === null || (mesh.meshId === meshId && mesh.meshKey === meshKey)
    ? null
    : `this device belongs to the mesh ${meshWords(mesh)} already, and that is ${meshName === null || meshName === mesh.meshName ? "another one" : printable(meshName)}`

export const joinMesh = (errand: Errand, order: JoinOrder): Work =>
  Effect.scoped(
    Effect.gen(function* () {
      const { around, look, manner, out, state } = errand
      const link = invitationOf(order, around.cwd)
      if ("$type" in link) return yield* Effect.fail(link)
      const name = order.name ?? defaultName(around.hostName).value
      const problem = nameProblem(name)
      if (problem !== null) return yield* Effect.fail(failure("WRONG_USE", `${problem}: ${JSON.stringify(name)}`))
      const kept = yield* meshIn(state)
      const self = yield* kept === null ? newcomer(errand, name) : member(errand, kept, name)

      const joining: Guest.Joining = {
        deviceId: self.identity.keys.deviceId,
        credentials: yield* credentialsOf(Redacted.value(self.identity.seed)),
        name: self.name,
        role: self.role,
        code: link.code,
        expects: { host: link.host, meshName: link.meshName },
        objects: (challenge) => objection(self.mesh, challenge)
      }
      const byAddress = link.addresses.length > 0
      if (!manner.json && !look.quiet)
        out(byAddress ? `asking ${link.addresses.join(" ")} …\n` : "looking for a node that invites, by mDNS …\n")
      const places = link.addresses.flatMap((text) => {
        const address = readAddress(text, PORT)
        return address === null ? [] : [{ address, name: null }]
      })
      const met = yield* byAddress ? atAddresses(joining, places) : nearby(joining)
      const last = met.at(-1)
      if (last === undefined || passing(last.came) !== null) return yield* Effect.fail(nowhere(met, byAddress))
      if (last.came._tag !== "Joined") return yield* Effect.fail(verdict(last, state) ?? nowhere(met, byAddress))
      const { grant } = last.came
      yield* self.keep(grant, last.place.address)
      const address = addressWords(last.place.address)
      const { device, host, mesh } = grant
      const isNew = self.mesh === null
      told(
        errand,
        { $type: "clawmesh.joined/1", mesh, device, trusts: host, address, state, isNew } satisfies Joined,
        (document) => screen(document, manner.state === null ? "" : ` --state ${shellWord(manner.state)}`, look)
      )
    })
  )

const newIdentity = (): Identity => {
  const { keys, seed } = generate()
  return { keys, seed: Redacted.make(seed) }
}

/** It was let in, and cannot keep it. */
const halfDone = (why: string, { device }: Grant): Failure =>
  failure(
    "NOT_ALLOWED",
    `the mesh let this device in, and it cannot be written down here: ${why}`,
    `There: clawmesh trust revoke ${shellWord(printable(device.name))}, and invite it again`
  )
