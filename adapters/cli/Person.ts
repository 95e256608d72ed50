/**
 * The key of the person who uses this account: made once, kept in the home directory, readable for its owner only. What is signed with
 * it stands for the person at whatever device, and nobody who has only the device can sign so (B33).
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, isAbsolute, join } from "node:path"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { PERSON_VARIABLE } from "../config/Environment.ts"
import { readPerson } from "../config/NodeFile.ts"
import * as Keys from "../keys/Keys.ts"
import { failure, type Failure } from "../operator/Failure.ts"

const PersonFile = Schema.Struct({
  $type: Schema.Literal("clawmesh.person/1"),
  name: Schema.NonEmptyString,
  /** Secret: 32 bytes, base64url. */
  seed: Schema.String
})
const decode = Schema.decodeUnknownOption(Schema.fromJsonString(PersonFile))

export interface Signer {
  readonly name: string
  readonly keys: Keys.Keys
}

/** `CLAWMESH_PERSON`, else in the configuration of the user (XDG Base Directory Specification). */
export const placeOf = (env: { readonly [name: string]: string | undefined }, home: string): string => {
  const said = env[PERSON_VARIABLE] ?? ""
  if (said !== "") return said
  const xdg = env["XDG_CONFIG_HOME"] ?? ""
  return join(isAbsolute(xdg) ? xdg : join(home, ".config"), "clawmesh", "person.json")
}

/** `null`: this account has no key. */
export const read = (path: string): Signer | null | Failure => {
  let text: string
  try {
    text = readFileSync(path, "utf8")
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException
    return code === "ENOENT" || code === "ENOTDIR" ? null : failure("NOT_ALLOWED", `${path} cannot be read: ${code}`)
  }
  const file = Option.getOrNull(decode(text))
  const keys = file === null ? null : Keys.fromSeed(Buffer.from(file.seed, "base64url"))
  return keys === null
    ? failure("WRONG_USE", `${path} holds no key of a person`, "Move it away, and make one: clawmesh person new NAME")
    : { name: file!.name, keys }
}

/** Nothing that is there is overwritten: whoever knows the old key goes on knowing that one. */
export const make = (path: string, name: string): Signer | Failure => {
  const { keys, seed } = Keys.generate()
  if (readPerson(`${name}=${keys.publicKey}`) === null)
    return failure(
      "WRONG_USE",
      `a person has a name that prints, of 63 bytes at most, and without "=": not ${JSON.stringify(name)}`
    )
  const text = `${JSON.stringify({ $type: "clawmesh.person/1", name, seed: Buffer.from(seed).toString("base64url") })}\n`
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    writeFileSync(path, text, { flag: "wx", mode: 0o600 })
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException
    return code === "EEXIST"
      ? failure("WRONG_USE", `${path} holds a key already`, "clawmesh person shows it")
      : failure("NOT_ALLOWED", `${path} cannot be written: ${code}`)
  }
  return { name, keys }
}
