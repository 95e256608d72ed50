/**
 * `clawmesh bundle`: what this node can show of an incident, in one file. Of the state directory it takes the recording alone, and
 * of a node that runs what its socket tells everybody who may open it: keys are in neither.
 *
 * A node that does not run is packed too, without its status and events; that is often the one of which it is wanted.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join, resolve } from "node:path"
import * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import { type Item, pack, RECORDINGS } from "../recorded/Bundle.ts"
import { type Header, segmentOf } from "../recorded/Format.ts"
import { kernelDigest } from "../recorded/Kernel.ts"
import { readSegment } from "../recorded/Read.ts"
import { printable } from "../config/Printable.ts"
import * as Api from "../operator/Api.ts"
import { failure, type Failure } from "../operator/Failure.ts"
import { ask } from "./Client.ts"
import { type Errand, told, type Work } from "./Errand.ts"

const json = (path: string, document: unknown): Item => ({
  path,
  bytes: Buffer.from(`${JSON.stringify(document, null, 2)}\n`)
})

/** What the socket says; where it does not, why. */
const asked = <S extends Schema.Codec<unknown, unknown>>(errand: Errand, path: string, target: string, schema: S) =>
  Effect.match(ask(errand.socket, { method: "GET", target }, schema), {
    onSuccess: (document): Item | string => json(path, document),
    onFailure: ({ message }): Item | string => message
  })

const recordings = (directory: string): ReadonlyArray<Item> | Failure => {
  const folder = join(directory, RECORDINGS)
  try {
    return readdirSync(folder)
      .filter((name) => segmentOf(name) !== null)
      .toSorted()
      .map((name) => ({ path: `${RECORDINGS}${name}`, bytes: readFileSync(join(folder, name)) }))
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === "ENOENT") return []
    return failure(
      code === "EACCES" ? "NOT_ALLOWED" : "NOT_FOUND",
      `the recording cannot be read: ${message}`,
      "Only the user that the node runs as may: try again with sudo."
    )
  }
}

const headerOf = (items: ReadonlyArray<Item>): Header | null => {
  for (const { bytes, path } of items.toReversed()) {
    const read = readSegment(path, bytes)
    if ("header" in read) return read.header
  }
  return null
}

const nameFor = (name: string, nowMs: number): string => {
  const time = new Date(nowMs).toISOString().slice(0, 19).replaceAll(/[-:]/gu, "").replace("T", "-")
  return `clawmesh-${name.replaceAll(/[^\w-]/gu, "_")}-${time}.tar.gz`
}

const kept = (path: string, shown: string, bytes: Uint8Array): Failure | null => {
  try {
    writeFileSync(path, bytes, { flag: "wx", mode: 0o600 })
    return null
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    return code === "EEXIST"
      ? failure(
          "WRONG_USE",
          `${shown} is there already, and is left as it is`,
          "Name another file: clawmesh bundle FILE"
        )
      : failure("WRONG_USE", `${shown} cannot be written: ${message}`, "Name another place: clawmesh bundle FILE")
  }
}

export const bundle = (errand: Errand, file: string | null): Work =>
  Effect.gen(function* () {
    const directory = dirname(errand.socket)
    const recorded = recordings(directory)
    if ("$type" in recorded) return yield* Effect.fail(recorded)
    const header = headerOf(recorded)
    const answers = [
      yield* asked(errand, "status.json", "/status", Api.Status),
      yield* asked(errand, "health.json", "/health", Api.Health),
      yield* asked(errand, "events.json", `/events?limit=${Api.EVENTS_MAX}`, Api.Events)
    ]
    const documents = answers.filter((answer) => typeof answer !== "string")
    const silence = answers.find((answer) => typeof answer === "string") ?? null
    if (documents.length === 0 && recorded.length === 0)
      return yield* Effect.fail(
        failure("NOT_FOUND", `there is nothing to pack in ${directory}: ${silence}`, "Name another one: --state DIR")
      )
    const nowMs = errand.nowMs()
    const manifest = {
      $type: "clawmesh.bundle/1" as const,
      at: new Date(nowMs).toISOString(),
      node: header === null ? null : { name: header.name, id: header.config.deviceId },
      versions: {
        clawmesh: errand.version,
        kernel: kernelDigest(),
        node: process.version,
        system: `${process.platform} ${process.arch}`
      },
      /** By whom the newest of the recording was made. */
      recorded: header === null ? null : { program: header.program, kernel: header.kernel, node: header.node },
      /** Why status and events are not in it; `null`: they are. */
      silence,
      files: [
        ...documents.map(({ path }) => path),
        ...(header === null ? [] : ["configuration.json"]),
        ...recorded.map(({ path }) => path)
      ]
    }
    const items = [
      json("manifest.json", manifest),
      ...documents,
      ...(header === null ? [] : [json("configuration.json", header.config)]),
      ...recorded
    ]
    const packed = yield* Effect.mapError(pack(items, nowMs), ({ message }) =>
      failure("INTERNAL_ERROR", `the bundle cannot be made: ${message}`)
    )
    const shown = file ?? nameFor(header?.name ?? "node", nowMs)
    const unkept = kept(resolve(errand.around.cwd, shown), shown, packed)
    if (unkept !== null) return yield* Effect.fail(unkept)
    told(errand, { ...manifest, file: shown, bytes: packed.length }, () =>
      [
        `${printable(shown)}   ${Math.ceil(packed.length / 1_024)} KiB: ${manifest.files.length} files, no keys`,
        ...(silence === null ? [] : [`  without status and events: ${silence.split("\n").map(printable).join(" ")}`]),
        ...(recorded.length === 0 ? ["  without a recording: there is none"] : []),
        ...(errand.look.quiet ? [] : [`  look into it: tar tzf FILE; do it again: clawmesh replay FILE`]),
        ""
      ].join("\n")
    )
  })
