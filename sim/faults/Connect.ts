/**
 * Somebody from outside logs in with one lie. What it has of a node is its key, unless the lie is about that; what it says apart
 * from the lie is what that node would say. Touched are the logins that it said.
 *
 * A relayed login is made of words that a node really signs: somebody who has a third node's key logs in there as that one, over
 * the nonce that it was given where it wants to be let in, and carries the answer there (P9.2, P9.4). The third node may lose its
 * session with the second for as long as that takes, as anybody does whose key was stolen.
 *
 * Does not model: a stranger that changes its mind between its words; one visit has one lie.
 */
import { base64url, bytes } from "../../kernel/Draw.ts"
import type { LinkPath } from "../../kernel/Input.ts"
import type { Machine } from "../engine/Machine.ts"
import type { World } from "../engine/World.ts"
import { hex } from "../keys/FakeKeys.ts"
import { claimOf, type Claim } from "../network/Credentials.ts"
import type { Visit } from "../network/Visitor.ts"
import type { Lie, Over } from "../scenario/Scenario.ts"
import { names, type Fault, type Strike } from "./Fault.ts"

/** Nobody speaks these yet. */
const GENERATIONS_TO_COME: readonly [number, number] = [1_000, 1_001]
const ADDRESS = "10.255.255.254:40000"

const pathOf = (over: Over, strangers: string): LinkPath => {
  const common = { remote: "private", address: ADDRESS } as const
  switch (over) {
    case "no tls":
      return { ...common, security: "plain", proved: null }
    case "tls without its key":
      return { ...common, security: "tls", proved: null }
    case "tls with another key":
      return { ...common, security: "tls", proved: strangers }
  }
}

const lied = (claim: Claim, lie: Lie, { key, world }: Strike): Claim => {
  switch (lie) {
    case "another key":
      return { ...claim, publicKey: world.visitor.keys.publicKey }
    case "another mesh":
      return { ...claim, meshId: hex(bytes(world.seed, "another-mesh", key, 0, 32)) }
    case "another mesh key":
      return { ...claim, meshKey: base64url(world.seed, "another-mesh-key", key, 0, 32) }
    case "another generation":
      return { ...claim, gen: GENERATIONS_TO_COME }
    case "another role":
      return { ...claim, role: claim.role === "viewer" ? "field" : "viewer" }
    default:
      return claim
  }
}

const spoils: { readonly [lie in Lie]?: Visit["spoiled"] } = {
  "another signature": "signature",
  "another nonce": "nonce",
  "no extension": "extension"
}

/**
 * As whom it has that node sign: as one in the life that it lives, or was met in last. In no other: whoever is first to be met in
 * a life keeps that life, and the device itself would be the copy from then on.
 */
const carrierOf = (world: World, through: string | undefined, as: Machine | undefined): Visit["relay"] => {
  const one = world.machines.find(({ name }) => name === through)
  if (one === undefined || as === undefined) return null
  const living = one.state()
  const met = as.state()?.links.contacts.find(({ peer }) => peer === one.config.deviceId)
  const claim = claimOf(one.config, one.keys)
  // It does not run: it says its last life.
  const last = {
    bootId: met?.bootId ?? claim.bootId,
    incarnation: Math.max(1, met?.incarnation ?? one.durable.incarnation)
  }
  const { bootId, incarnation } = living ?? last
  // It runs, and does not know yet in which life.
  if (incarnation < 1) return null
  return { at: as.name, claim: { ...claim, incarnation, bootId }, keys: one.keys }
}

export const connect: Fault<"connect"> = ({ as, lie, over, through, to }, strike) => {
  const { world } = strike
  const { visitor } = world
  const machines = strike.resolve(to)
  const node = as === null ? undefined : world.machines.find(({ name }) => name === as)
  const own = visitor.keys
  const keys = node === undefined || lie === "another key" || lie === "a relayed login" ? own : node.keys
  const visitOf = (machine: Machine): Visit | null => {
    const { config } = node ?? machine
    const honest: Claim = { ...claimOf(config, node?.keys ?? own), incarnation: node?.durable.incarnation ?? 1 }
    const past = lie === "an old login" ? world.script.kept.login(as ?? "", machine.name) : null
    if (lie === "an old login" && past === null) return null
    const relay = lie === "a relayed login" ? carrierOf(world, through, node) : null
    if (lie === "a relayed login" && relay === null) return null
    return {
      claim:
        lie === "silence"
          ? null
          : lied(node === undefined ? { ...honest, displayName: visitor.name } : honest, lie, strike),
      chatters: lie === "chatter",
      keys,
      past,
      relay,
      spoiled: spoils[lie] ?? "nothing",
      path: over === undefined ? null : pathOf(over, own.deviceId)
    }
  }
  const by = through === undefined ? "" : ` through ${through}`
  strike.tell("world.connect", as, `${lie}${by}, at ${names(machines)}`)
  const visits = machines.flatMap((machine) => {
    const visit = machine === node ? null : visitOf(machine)
    return visit === null ? [] : [visitor.visit(machine, visit)]
  })
  return { touched: (now) => now.visitor.said(visits), undo: null }
}
