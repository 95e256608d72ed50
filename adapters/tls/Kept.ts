/**
 * The certificate that a start leaves for the next one, because making it takes longer than the rest of a start and loads a
 * library that then stays in memory: `certificate.pem` in the state directory.
 *
 * Promises: it is never a reason not to start. One that is missing, unreadable, another's or broken is made anew, and is the
 * same byte for byte; one that cannot be written is made again at the next start. It is no secret and needs no copy.
 */
import * as Effect from "effect/Effect"
import { Files } from "../vault/Files.ts"
import { credentialsOf, type Credentials } from "./Certificate.ts"

export const CERTIFICATE = "certificate.pem"
/** One of ours has 500 bytes; what is longer is something else. */
const BYTES_MAX = 4_096

/** The credentials of the identity in a state directory, whose lock is held. */
export const open = (directory: string, seed: Uint8Array): Effect.Effect<Credentials> =>
  Effect.scoped(
    Effect.gen(function* () {
      const files = yield* Files.open(directory)
      const bytes = yield* Effect.orElseSucceed(files.read(CERTIFICATE), () => null)
      const kept = bytes === null || bytes.length > BYTES_MAX ? undefined : Buffer.from(bytes).toString("latin1")
      const credentials = yield* credentialsOf(seed, kept)
      if (credentials.certificate !== kept)
        yield* Effect.ignore(files.put(CERTIFICATE, Buffer.from(credentials.certificate, "latin1")))
      return credentials
    })
  )
