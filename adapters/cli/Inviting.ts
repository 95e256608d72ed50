/** `clawmesh invite`: opens the door for one device, shows the code, and waits for what comes of it. */
import { closeSync, openSync, rmSync, writeFileSync } from "node:fs"
import { resolve } from "node:path"
import * as Effect from "effect/Effect"
import { OPEN_MS } from "../../kernel/pairing/Door.ts"
import { Role } from "../../kernel/wire/Frame.ts"
import { printable } from "../config/Printable.ts"
import { hint } from "../config/Spelling.ts"
import { failure, type Failure } from "../operator/Failure.ts"
import * as InviteApi from "../operator/InviteApi.ts"
import type { Order } from "./Arguments.ts"
import { ask } from "./Client.ts"
import { type Errand, refOf, told, type Work } from "./Errand.ts"
import { duration, fact, type Look, shellWord, styled } from "./Text.ts"

const LOOK_EVERY_MS = 250

type Invite = InviteApi.Invites["invites"][number]

const grantWords = ({ may, role }: Pick<Invite, "may" | "role">): string => {
  const moves = may.map((ref) => printable(ref.replace(/^actuator:/u, "")))
  return moves.length === 0 ? role : `${role}, may move ${moves.join(" ")}`
}

/** Light on dark, as cameras want it, whatever the colours of the terminal. */
const qrLines = async (link: string, look: Look): Promise<ReadonlyArray<string>> => {
  const { renderUnicodeCompact } = await import("uqr")
  const lines = renderUnicodeCompact(link, { ecc: "L", border: 2 }).split("\n")
  return look.colour ? lines.map((line) => `\u001b[97;40m${line}\u001b[0m`) : lines
}

const invitedScreen = (
  { addresses, code, invite, link }: InviteApi.Invited,
  { file, qr }: { readonly file: string | null; readonly qr: ReadonlyArray<string> },
  look: Look
): string => {
  if (look.quiet) return `${code}\n`
  const lines = [
    `Invite for ${invite.name === null ? "a device" : printable(invite.name)}: ${grantWords(invite)}`,
    "",
    `  ${styled(code, "bold", look)}    for ${duration(invite.leftMs + 999)}, once`,
    ""
  ]
  if (qr.length > 0) lines.push(...qr.map((line) => `  ${line}`), "")
  lines.push("On the new device:", `  clawmesh join ${code}`)
  const [address] = addresses
  if (file !== null) lines.push(`or with the file:`, `  clawmesh join ${shellWord(file)}`)
  else if (address !== undefined) lines.push(`or, where mDNS finds nothing:`, `  clawmesh join ${code} --at ${address}`)
  if (qr.length > 0) lines.push("The QR holds this:", `  ${link}`)
  return `${lines.join("\n")}\n\n`
}

const joinedScreen = (invite: Invite, look: Look): string => {
  const { joined } = invite
  if (joined === null) return ""
  const lines = [
    `${styled(printable(joined.name ?? joined.id), "bold", look)} joined from ${printable(joined.address)}. The door is shut.`,
    fact("id", joined.id, look),
    fact("role", grantWords(invite), look),
    "",
    "This node trusts it from now on. Other nodes of the mesh do not know it yet: invite it there as well, or on each:",
    `  clawmesh trust add ${joined.id} --role ${invite.role} --name ${shellWord(printable(joined.name ?? ""))}`
  ]
  return look.quiet ? "" : `${lines.join("\n")}\n`
}

const ended = (invite: Invite | undefined): Failure => {
  const again = "Make a new one: clawmesh invite"
  if (invite?.problem != null)
    return failure("REFUSED", `a device knew the code, and was not let in: ${invite.problem}`, again)
  switch (invite?.state) {
    case "expired":
      return failure("TIMEOUT", "nobody joined in time; the door is shut", again)
    case "shut":
      return failure(
        "REFUSED",
        "the door was shut: after three wrong codes, or by clawmesh invite --shut",
        `Was it you who mistyped? clawmesh-node says from where they came. ${again}`
      )
    default:
      return failure("NO_ANSWER", "the node was started anew meanwhile, which shuts its door", again)
  }
}

/** Before anything is asked for, so that no code is made that has no place. */
const reserve = (path: string): Failure | null => {
  try {
    closeSync(openSync(path, "wx", 0o600))
    return null
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException
    return code === "EEXIST"
      ? failure("WRONG_USE", `${path} is there already`, "Name another file, or remove it")
      : failure("NOT_ALLOWED", `${path} cannot be written: ${code}`)
  }
}

const request = (order: Extract<Order, { readonly _tag: "invite" }>): InviteApi.InviteRequest | Failure => {
  const { forMs, may, name, role } = order
  const isRole = (word: string): word is InviteApi.InviteRequest["role"] =>
    (Role.literals as ReadonlyArray<string>).includes(word)
  if (!isRole(role))
    return failure(
      "WRONG_USE",
      `no role ${JSON.stringify(role)}${hint(role, Role.literals) || `; there are ${Role.literals.join(" ")}`}`
    )
  return { role, name, may: may.map(refOf), forMs: forMs ?? OPEN_MS }
}

const outcome = (errand: Errand, id: string): Effect.Effect<InviteApi.Invites, Failure> =>
  Effect.gen(function* () {
    while (true) {
      const all = yield* ask(errand.socket, { method: "GET", target: "/invites" }, InviteApi.Invites)
      const invite = all.invites.find((one) => one.id === id)
      if (invite?.joined != null) return { ...all, invites: [invite] }
      const isUnderWay = invite?.state === "open" || (invite?.state === "taken" && invite.problem === null)
      if (!isUnderWay) return yield* Effect.fail(ended(invite))
      yield* Effect.sleep(LOOK_EVERY_MS)
    }
  })

export const openDoor = (errand: Errand, order: Extract<Order, { readonly _tag: "invite" }>): Work =>
  Effect.gen(function* () {
    const { around, look, manner, out, socket } = errand
    const body = request(order)
    if ("$type" in body) return yield* Effect.fail(body)
    const path = order.file === null ? null : resolve(around.cwd, order.file)
    const taken = path === null ? null : reserve(path)
    if (taken !== null) return yield* Effect.fail(taken)
    const invited = yield* ask(socket, { method: "POST", target: "/invites", body }, InviteApi.Invited).pipe(
      Effect.onError(() => Effect.sync(() => path !== null && rmSync(path, { force: true })))
    )
    if (path !== null) writeFileSync(path, `${invited.link}\n`)
    const shows = !manner.json && !look.quiet && (order.qr || (around.isTerminal && path === null))
    const qr = shows ? yield* Effect.promise(() => qrLines(invited.link, look)) : []
    told(errand, invited, (document) => invitedScreen(document, { file: order.file, qr }, look))
    if (!order.waits) return
    if (!manner.json && !look.quiet)
      out("Waiting for it. Ctrl-C leaves the door open; clawmesh invite --shut shuts it.\n")
    const done = yield* outcome(errand, invited.invite.id)
    told(errand, done, ({ invites: [invite] }) => joinedScreen(invite!, look))
  })

export const shutDoor = (errand: Errand): Work =>
  Effect.gen(function* () {
    const before = yield* ask(errand.socket, { method: "GET", target: "/invites" }, InviteApi.Invites)
    const open = before.invites.filter(({ state }) => state === "open").length
    const done = yield* ask(errand.socket, { method: "DELETE", target: "/invites" }, InviteApi.Invites)
    told(errand, done, () =>
      errand.look.quiet
        ? ""
        : open === 0
          ? "No invite was open.\n"
          : `The door is shut; ${open === 1 ? "one invite was" : `${open} invites were`} open.\n`
    )
  })
