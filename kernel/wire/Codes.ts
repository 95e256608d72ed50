/**
 * The one table of error codes (PROTOCOL.md part 8). Whatever a node answers, logs, counts or shows as a reason is one of
 * these words, spelt the same on the wire, on the command line and in the documents.
 */
export const codes = {
  handshake: [
    "INVALID_PARAMS",
    "AUTH_NONCE_REQUIRED",
    "AUTH_NONCE_INVALID",
    "UNTRUSTED_PEER",
    "PUBLIC_KEY_MISMATCH",
    "AUTH_FAILED",
    "MESH_ID_MISMATCH"
  ],
  link: ["UNSUPPORTED_GENERATION", "INSECURE_TRANSPORT", "UNPINNED_TRANSPORT", "PIN_MISMATCH", "IDENTITY_CONFLICT"],
  dispatch: ["UNKNOWN_METHOD", "INTERNAL_ERROR", "NOT_AUTHORIZED", "RATE_LIMITED"],
  validation: ["TOO_LARGE", "DATA_TOO_LARGE", "INVALID_JSON", "MISSING_TYPE", "INVALID_TYPE"],
  trust: [
    "LOOP_DETECTED",
    "INVALID_COMMAND_ENVELOPE",
    "TRUST_ENVELOPE_MISMATCH",
    "INVALID_TRUST_POLICY",
    "TRUST_METADATA_REQUIRED",
    "ACTUATION_DECLARATION_REQUIRED",
    "LLM_ONLY_ACTUATION_BLOCKED",
    "INSUFFICIENT_TRUST_TIER",
    "VERIFICATION_REQUIRED",
    "DELIVERY_FAILED"
  ],
  actuation: [
    "STALE_TERM",
    "STALE_EPOCH",
    "PRECONDITION_FAILED",
    "DUPLICATE_PROPOSAL",
    "OUTCOME_UNKNOWN",
    "EXPIRED_COMMAND",
    "APPROVAL_REQUIRED",
    "EVIDENCE_TOO_OLD",
    "EVIDENCE_CHANGED",
    "TARGET_DOWN",
    "TARGET_BUSY",
    "TARGET_CHANGED",
    "ALREADY_DECIDED",
    "NOT_ALLOWED",
    "ON_HOLD"
  ],
  planner: ["NO_PLANNER", "NOT_FOUND", "REMOTE_PLANNER_ERROR"],
  llm: ["LLM_MODEL_UNAVAILABLE", "LLM_BUSY", "LLM_TIMEOUT", "LLM_BACKPRESSURE", "LLM_CANCELLED"],
  local: ["NOT_CONNECTED", "SEND_FAILED", "TIMEOUT", "PEER_DISCONNECTED"]
} as const

export type Code = (typeof codes)[keyof typeof codes][number]

/** All codes, in the order of the table. */
export const allCodes: ReadonlyArray<Code> = Object.values(codes).flat()
