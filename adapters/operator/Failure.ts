/**
 * How the operator's socket and `clawmesh` say that something did not work: one document, with a code, the exit code that
 * belongs to it, and the way out. Free of imports, because mistakes on a command line are told without loading anything.
 */

/** Each code with the exit code of `clawmesh` and the HTTP status of the socket. */
export const failures = {
  WRONG_USE: { exit: 2, status: 400 },
  /** Nobody answers at the socket; said by the client only. */
  NO_ANSWER: { exit: 3, status: 503 },
  /** Somebody answers, but not what the schemas say; said by the client only. */
  BAD_ANSWER: { exit: 3, status: 502 },
  /** The node is starting or has left: it takes no orders now. */
  NOT_RUNNING: { exit: 3, status: 503 },
  /** The socket is somebody else's; said by the client only. */
  NOT_ALLOWED: { exit: 4, status: 403 },
  NOT_FOUND: { exit: 5, status: 404 },
  /** The name fits several devices, or would. */
  AMBIGUOUS: { exit: 5, status: 409 },
  /** The given key is no key, or another device's. */
  PUBLIC_KEY_MISMATCH: { exit: 2, status: 400 },
  RATE_LIMITED: { exit: 1, status: 429 },
  /** The answer is no: a device does not answer, at the stage that is told. */
  DELIVERY_FAILED: { exit: 1, status: 502 },
  /** A recording that was changed, or of which something else comes now; said by the client only. */
  PARTED: { exit: 1, status: 409 },
  /** The mesh says no, for the reason that is told. */
  REFUSED: { exit: 6, status: 409 },
  TIMEOUT: { exit: 7, status: 504 },
  INTERNAL_ERROR: { exit: 70, status: 500 }
} as const

export type FailureCode = keyof typeof failures

export interface Failure {
  readonly $type: "clawmesh.error/1"
  readonly code: FailureCode
  /** Exit code of `clawmesh`. */
  readonly exit: (typeof failures)[FailureCode]["exit"]
  readonly message: string
  /** The way out, a line or several; `null`: none is known. */
  readonly hint: string | null
}

export const failure = (code: FailureCode, message: string, hint: string | null = null): Failure => ({
  $type: "clawmesh.error/1",
  code,
  exit: failures[code].exit,
  message,
  hint
})

export const isFailure = (value: { readonly $type?: string }): value is Failure => value.$type === "clawmesh.error/1"
