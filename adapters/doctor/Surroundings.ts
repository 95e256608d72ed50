/** The network, the mesh and the service: by what the running node says, else by what the configuration says and a knock at the door. */
import * as Effect from "effect/Effect"
import type { StaticPeer } from "../../kernel/links/StaticPeer.ts"
import { preflight } from "../../kernel/status/Preflight.ts"
import { type Mistake, renderMistakes } from "../config/Mistake.ts"
import type { Settings } from "../config/Settings.ts"
import { knock, knockWords, placeOf } from "../cli/Ping.ts"
import { duration } from "../cli/Text.ts"
import type * as Api from "../operator/Api.ts"
import type { Machine } from "./Machine.ts"
import { type Check, unseen, wary, well, wrong } from "./Report.ts"

/** As it reads, or what is wrong with it. */
export type Configuration = { readonly settings: Settings } | { readonly mistakes: ReadonlyArray<Mistake> }

export const configuration = (read: Configuration): ReadonlyArray<Check> => {
  if ("mistakes" in read) {
    const [first = ""] = renderMistakes(read.mistakes).split("\n")
    const more = read.mistakes.length > 1 ? `, and ${read.mistakes.length - 1} more` : ""
    return [
      wrong("configuration", `the configuration is wrong: ${first}${more}`, "clawmesh-node check shows all of it")
    ]
  }
  const { settings } = read
  const found = preflight({
    identity: "",
    port: settings.port,
    discovery: settings.discovery,
    peers: settings.peers,
    gen1: [],
    capabilities: settings.capabilities,
    model: null
  }).filter(({ severity }) => severity !== "info")
  const file = settings.file === null ? "no configuration file: all by default" : `${settings.file} reads`
  if (found.length === 0) return [well("configuration", file)]
  return found.map(({ code, hint, message, severity }) =>
    (severity === "error" ? wrong : wary)("configuration", `${message} (${code})`, hint)
  )
}

export const addresses = ({ addresses: all }: Machine): Check => {
  const found = all()
  return found.length === 0
    ? wary("addresses", "no interface of this machine has an address", "Look at its cable and its Wi-Fi: ip address")
    : well("addresses", found.map(({ address, name }) => `${address} on ${name}`).join(", "))
}

/** Where nobody listens for a node that does not run, and where this one does. */
export const port = (machine: Machine, read: Configuration, status: Api.Status | null): Effect.Effect<Check> =>
  Effect.gen(function* () {
    const settings = "settings" in read ? read.settings : null
    if (status !== null) {
      const place = placeOf(status.node.address)
      if (place === null) return unseen("port", `this node listens at ${status.node.address}`)
      const { error } = yield* knock(place.host === "0.0.0.0" ? "127.0.0.1" : place.host, place.port)
      if (error !== null)
        return wrong(
          "port",
          `this node says that it listens at ${status.node.address}, and it does not: ${error}`,
          "sudo systemctl restart clawmesh-node"
        )
      return well("port", `port ${place.port} is this node's`)
    }
    if (settings === null) return unseen("port", "which port is meant, the configuration does not say")
    if (settings.port === 0) return well("port", "any port that is free will do")
    const code = yield* machine.listen(settings.host, settings.port)
    switch (code) {
      case null:
        return well("port", `port ${settings.port} is free`)
      case "EADDRINUSE":
        return wrong(
          "port",
          `port ${settings.port} is taken by another program`,
          `sudo ss --listening --tcp --numeric --processes 'sport = :${settings.port}' says by whom; or another one: port: in node.yaml`
        )
      case "EACCES":
        return wrong(
          "port",
          `port ${settings.port} is kept for the system's own services`,
          "Choose one from 1024 on: port: in node.yaml"
        )
      case "EADDRNOTAVAIL":
        return wrong(
          "port",
          `${settings.host} is no address of this machine`,
          "host: in node.yaml; ip address shows those that it has"
        )
      default:
        return wrong(
          "port",
          `nobody can listen at ${settings.host}:${settings.port}: ${code}`,
          "host: and port: in node.yaml"
        )
    }
  })

const notRunning = "clawmesh-node does not run"
const OFF = "discovery is switched off"

export const discovery = (read: Configuration, status: Api.Status | null): Check => {
  if (status === null)
    return unseen(
      "discovery",
      "settings" in read && !read.settings.discovery ? OFF : `discovery is not tried: ${notRunning}`
    )
  const { enabled, runs, why } = status.discovery
  if (!enabled) return unseen("discovery", OFF)
  if (!runs)
    return wrong(
      "discovery",
      `discovery does not run: ${why}`,
      "Devices with a configured address still work; else free UDP port 5353, and let multicast through"
    )
  const found = status.strangers.length + status.peers.filter(({ dialling }) => dialling.addresses.length > 0).length
  return found === 0
    ? wary(
        "discovery",
        "discovery runs, and hears nobody",
        "Is anybody near? Many access points drop multicast: give an address with --peer"
      )
    : well("discovery", `discovery runs; addresses of ${found} devices are known`)
}

const AMNESIA = "docs/reference/state-directory.md, Amnesia"

/** What the node says is wrong with itself, apart from its peers. */
export const daemon = (
  status: Api.Status | null,
  why: { readonly text: string; readonly hint: string } | null
): ReadonlyArray<Check> => {
  if (status === null)
    return [
      why === null
        ? wary("daemon", notRunning, "sudo systemctl start clawmesh-node, or clawmesh-node run")
        : wrong("daemon", why.text, why.hint)
    ]
  const { node, stalls } = status
  const found: Array<Check> = []
  for (const { about, code, hint, text } of status.warnings) {
    if (about !== null || code === "NO_QUORUM" || code === "NO_LEADER" || code === "DISCOVERY_FAILED") continue
    found.push(
      wrong("daemon", `${text} (${code})`, hint ?? (code === "AMNESIA" ? AMNESIA : "Wait a moment, and look again"))
    )
  }
  if (stalls !== null && stalls.agoMs < 600_000)
    found.push(
      wary(
        "daemon",
        `the node stood still ${stalls.count} times, ${duration(stalls.agoMs)} ago for ${duration(stalls.lastMs)}`,
        "The machine is overloaded, or slept: top, dmesg"
      )
    )
  return found.length > 0 ? found : [well("daemon", `${node.name} runs, for ${duration(node.uptimeMs)}`)]
}

export const electors = (read: Configuration, status: Api.Status | null): Check => {
  if (status === null) {
    if (!("settings" in read)) return unseen("electors", "who elects, the configuration does not say")
    const { electors: named, role } = read.settings
    if (named.length > 0) return well("electors", `${named.length} electors are named`)
    return role === "planner" || role === "standby-planner"
      ? wary(
          "electors",
          "no electors are named: this planner elects itself, and so does any other",
          "electors: in node.yaml, the same on every node"
        )
      : wary(
          "electors",
          "no electors are named: this node will name no leader",
          "electors: in node.yaml, the same on every node"
        )
  }
  const { leader, term } = status
  const { needed, total, up } = status.electors
  if (total === 0)
    return wary("electors", "no electors are named: nobody leads", "electors: in node.yaml, the same on every node")
  if (up < needed)
    return wrong(
      "electors",
      `${up} of ${total} electors are up, and ${needed} are needed: nobody can lead`,
      "Bring those that are down back up: clawmesh electors"
    )
  if (leader === null)
    return wrong("electors", `nobody leads, though ${up} of ${total} electors are up`, "clawmesh events --kind leader")
  return well(
    "electors",
    `${leader.name ?? leader.id.slice(0, 8)} leads, term ${term}; ${up} of ${total} electors are up`
  )
}

const calledPeer = ({ id, name }: { readonly id: string; readonly name: string | null }): string =>
  name ?? `${id.slice(0, 8)}…`

/** Whether the machine at that address answers, in words; `null`: it does. */
const reached = (address: string, who: string): Effect.Effect<readonly [text: string, hint: string] | null> =>
  Effect.suspend(() => {
    const place = placeOf(address)
    if (place === null) return Effect.succeed(["the address does not read", "--peer, or peers: in node.yaml"] as const)
    return Effect.map(knock(place.host, place.port), ({ error }) => (error === null ? null : knockWords(error, who)))
  })

const peer = (one: Api.Peer, warnings: ReadonlyArray<Api.Warning>): Effect.Effect<Check> =>
  Effect.gen(function* () {
    const who = calledPeer(one)
    const { dialling, heardMs, link, refused, state } = one
    if (state === "up" && refused === null)
      return well("peer", `${who} is up${heardMs === null ? "" : `, heard ${duration(heardMs)} ago`}`)
    if (state === "left") return unseen("peer", `${who} has left the mesh`)
    const warning = warnings.find(({ about }) => about?.id === one.id)
    const ping = `clawmesh ping ${who}`
    if (refused !== null)
      return wrong("peer", warning?.text ?? `${who} and this node do not talk (${refused})`, warning?.hint ?? ping)
    const said = state === "unknown" ? `${who} was not met yet` : `${who} is ${state}`
    const address = link?.dialledBy === "us" ? (link.address ?? dialling.addresses[0]) : dialling.addresses[0]
    if (address === undefined)
      return wrong(
        "peer",
        `${said}, and no address of it is known`,
        "Is it on, and in this network? Or give its address: --peer at the start of this node"
      )
    const how = yield* reached(address, who)
    return how === null
      ? wrong("peer", `${said}, though something listens at ${address}`, ping)
      : wrong("peer", `${said}; at ${address}: ${how[0]}`, how[1])
  })

/** Of a node that does not run: whether its configured peers could be reached. */
const configured = (one: StaticPeer): Effect.Effect<Check> => {
  const who = one.deviceId.slice(0, 8)
  return Effect.map(reached(one.url, who), (how) =>
    how === null
      ? well("peer", `${who}… answers at ${one.url}`)
      : wary("peer", `${who}… at ${one.url}: ${how[0]}`, how[1])
  )
}

/** Looked at side by side: each may take as long as a knock. */
const KNOCKS = 8
const PEERS_MAX = 64

export const peers = (read: Configuration, status: Api.Status | null): Effect.Effect<ReadonlyArray<Check>> => {
  if (status !== null)
    return Effect.forEach(status.peers.slice(0, PEERS_MAX), (one) => peer(one, status.warnings), {
      concurrency: KNOCKS
    })
  const known = "settings" in read ? read.settings.peers : []
  return Effect.forEach(known.slice(0, PEERS_MAX), configured, { concurrency: KNOCKS })
}

export const trust = (status: Api.Status | null): Check => {
  if (status === null) return unseen("trust", `whom it trusts is not looked at: ${notRunning}`)
  if (status.peers.length === 0)
    return wary("trust", "this node trusts no other device", "clawmesh trust add ID --role ROLE")
  const near = status.strangers.length
  return well(
    "trust",
    `${status.peers.length} devices are trusted${near === 0 ? "" : `, ${near} others are near: clawmesh trust list`}`
  )
}

/** Beyond our own networks nothing may go unpinned (B17, B18). */
export const links = (status: Api.Status | null): Check => {
  if (status === null) return unseen("links", `links are not looked at: ${notRunning}`)
  const bare = status.peers.filter(({ link }) => link?.remote === "public" && link.security !== "tls-pinned")
  return bare.length === 0
    ? well("links", "no link beyond our networks is unpinned")
    : wrong(
        "links",
        `${bare.map(calledPeer).join(", ")}: reached over public addresses, and not pinned`,
        "Write wss://, and the fingerprint of its certificate: docs/reference/link-policy.md"
      )
}

const UNIT = "clawmesh-node"
const ENABLE = `systemctl enable ${UNIT}`

/** What systemd knows of it. */
export const unit = (
  machine: Machine,
  fix: boolean
): Effect.Effect<{ readonly check: Check; readonly fixed: string | null }> =>
  Effect.gen(function* () {
    const text = yield* machine.output(
      "systemctl",
      "show",
      UNIT,
      "--property=LoadState,ActiveState,UnitFileState,ExecMainStatus"
    )
    const said = new Map(
      (text ?? "").split("\n").map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)])
    )
    const is = (check: Check) => ({ check, fixed: null })
    if (!said.has("LoadState")) return is(unseen("unit", "no systemd runs here that would start it"))
    if (said.get("LoadState") !== "loaded")
      return is(unseen("unit", "not installed as a service: docs/how-to/run-as-a-service.md"))
    const status = said.get("ExecMainStatus")
    if (said.get("ActiveState") === "failed")
      return is(
        wrong(
          "unit",
          `the service has failed, with exit code ${status}`,
          status === "78" || status === "2"
            ? "clawmesh-node check shows what is wrong; then: sudo systemctl start clawmesh-node"
            : "journalctl --unit clawmesh-node"
        )
      )
    if (said.get("UnitFileState") !== "enabled") {
      if (fix && machine.isRoot && (yield* machine.output("systemctl", "enable", UNIT)) !== null)
        return { check: well("unit", "starts with the machine, from now on"), fixed: ENABLE }
      return is(wary("unit", "the service does not start with the machine", `sudo ${ENABLE}`))
    }
    return is(well("unit", `${said.get("ActiveState")}, and starts with the machine`))
  })
