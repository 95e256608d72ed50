/**
 * Which links are allowed: every cell of B16 to B19, against the rules written down a second time, as sentences.
 *
 * The code has a table of reach and posture; the oracle here has a list of objections, each a sentence of the specification,
 * and knows nothing of reaches. They agree in each combination, or a test says where not.
 */
import { readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { decide, normalLabel, postureOf, type LinkFacts, type Posture } from "../../../kernel/links/Policy.ts"

const ME = "a".repeat(64)
const OTHER = "b".repeat(64)

// ------------------------------------------------------------------------------------------------ every combination

const LOCAL = ["lan", "mdns", "local"]
const OTHER_WORDS = [
  "relay",
  "vpn",
  "wan",
  "internet",
  "lan2",
  "llan",
  "l an",
  "loopback",
  "localhost",
  "localnet",
  "private",
  "wifi",
  "ethernet",
  "*",
  "локал",
  "lan,mdns",
  "none",
  "null"
]

/** Each word in small letters, capitals, mixed, and with blanks on either side and both. */
const spellings = (word: string): ReadonlyArray<string> => {
  const cased = [
    word,
    word.toUpperCase(),
    word.charAt(0).toUpperCase() + word.slice(1),
    word.slice(0, -1) + word.slice(-1).toUpperCase()
  ]
  return [...new Set(cased.flatMap((each) => [each, ` ${each}`, `${each}  `, `\t${each}\n`]))]
}
const labels: ReadonlyArray<string | null> = [null, "", " ", "\t", ...[...LOCAL, ...OTHER_WORDS].flatMap(spellings)]

const classes = ["loopback", "private", "public"] as const
const found: ReadonlyArray<LinkFacts["negotiated"]> = [
  undefined,
  ...(["plain", "tls"] as const).flatMap((security) =>
    [null, ME, OTHER].flatMap((proved) =>
      classes.map((remote) => ({ security, proved, remote, address: "10.0.0.7:18789" }))
    )
  )
]

const everyLink = function* (): Generator<LinkFacts> {
  for (const label of labels)
    for (const scheme of ["ws", "wss"] as const)
      for (const pin of ["device", "fingerprint", "none"] as const)
        for (const addressClass of classes)
          for (const direction of ["out", "in"] as const)
            for (const kind of ["kernel", "gen1"] as const)
              for (const negotiated of found) {
                const link = { deviceId: ME, label, scheme, pin, addressClass, direction, kind }
                yield negotiated === undefined ? link : { ...link, negotiated }
              }
}

// ------------------------------------------------------------------------------------------------ the oracle

/** B17. */
const postureBySentences = (link: LinkFacts): Posture => {
  const tls = link.scheme === "wss" && link.negotiated?.security !== "plain"
  if (!tls) return "insecure"
  const fingerprintCompared = link.pin === "fingerprint" && link.direction === "out"
  const keyExpected = link.negotiated === undefined && link.pin === "device"
  const keyShown = link.negotiated !== undefined && link.negotiated.proved === link.deviceId
  return fingerprintCompared || keyExpected || keyShown ? "tls-pinned" : "tls-unpinned"
}

const isPlainlyLocal = (label: string): boolean =>
  /^\s*(?:[Ll][Aa][Nn]|[Mm][Dd][Nn][Ss]|[Ll][Oo][Cc][Aa][Ll])\s*$/u.test(label)

/** Each sentence, and the code when it objects. The first objection counts. */
const objections: ReadonlyArray<
  readonly [sentence: string, objects: (link: LinkFacts) => boolean, code: string | null]
> = [
  [
    "TLS that was asked for is not given up on the way",
    ({ negotiated, scheme }) => scheme === "wss" && negotiated?.security === "plain",
    "INSECURE_TRANSPORT"
  ],
  [
    "B19: the key on the socket is that of another device",
    ({ deviceId, negotiated }) =>
      negotiated?.security === "tls" && negotiated.proved !== null && negotiated.proved !== deviceId,
    "PIN_MISMATCH"
  ],
  [
    "B19: between kernel peers the key of the certificate is the identity key",
    ({ kind, negotiated }) => kind === "kernel" && negotiated?.security === "tls" && negotiated.proved === null,
    "PIN_MISMATCH"
  ],
  [
    "B19: a pin on the identity key is really checked",
    ({ negotiated, pin }) => pin === "device" && negotiated?.security === "tls" && negotiated.proved === null,
    "PIN_MISMATCH"
  ],
  [
    "B18: whatever is not lan, mdns, local or unlabelled needs tls-pinned",
    (link) =>
      link.label !== null &&
      link.label.trim() !== "" &&
      !isPlainlyLocal(link.label) &&
      postureBySentences(link) !== "tls-pinned",
    null
  ],
  [
    "B18: a local label or none on an address that is not ours needs tls-pinned",
    (link) =>
      (link.addressClass === "public" || link.negotiated?.remote === "public") &&
      postureBySentences(link) !== "tls-pinned",
    null
  ],
  [
    "B18: between kernel peers pinned TLS always, except on loopback",
    (link) =>
      link.kind === "kernel" &&
      !(link.addressClass === "loopback" && (link.negotiated === undefined || link.negotiated.remote === "loopback")) &&
      postureBySentences(link) !== "tls-pinned",
    null
  ]
]

/** `allowed`, or the code of the refusal. */
const verdictBySentences = (link: LinkFacts): string => {
  const objection = objections.find(([, objects]) => objects(link))
  if (objection === undefined) return "allowed"
  return objection[2] ?? (postureBySentences(link) === "insecure" ? "INSECURE_TRANSPORT" : "UNPINNED_TRANSPORT")
}

const outcome = (link: LinkFacts): string => {
  const verdict = decide(link)
  return verdict.allowed ? "allowed" : verdict.code
}

// ------------------------------------------------------------------------------------------------ tests

describe("transport policy: every combination (B16 to B19, C35)", () => {
  it("decides as the sentences of the specification do, in each one", () => {
    const seen = new Map<string, number>()
    let combinations = 0
    for (const link of everyLink()) {
      combinations += 1
      const expected = verdictBySentences(link)
      if (outcome(link) !== expected) assert.fail(`${JSON.stringify(link)}: ${outcome(link)}, not ${expected}`)
      seen.set(expected, (seen.get(expected) ?? 0) + 1)
    }
    assert.strictEqual(combinations, labels.length * 2 * 3 * 3 * 2 * 2 * 19)
    assert.sameMembers([...seen.keys()], ["allowed", "INSECURE_TRANSPORT", "UNPINNED_TRANSPORT", "PIN_MISMATCH"])
  })

  it("B17 calls the posture as the sentences do, in each one, also where it refuses", () => {
    for (const link of everyLink()) {
      const expected = postureBySentences(link)
      if (postureOf(link) !== expected || decide(link).posture !== expected)
        assert.fail(`${JSON.stringify(link)}: not ${expected}`)
    }
  })

  it("each sentence decides somewhere: none is idle", () => {
    const idle = new Set(objections.map(([sentence]) => sentence))
    for (const link of everyLink()) {
      const first = objections.find(([, objects]) => objects(link))
      if (first !== undefined) idle.delete(first[0])
      if (idle.size === 0) return
    }
    assert.deepStrictEqual([...idle], [])
  })

  it("C35 neither letter case nor blanks round a label change anything", () => {
    for (const word of [...LOCAL, ...OTHER_WORDS])
      for (const label of spellings(word))
        for (const scheme of ["ws", "wss"] as const)
          for (const addressClass of classes) {
            const link: LinkFacts = {
              deviceId: ME,
              label,
              scheme,
              pin: "none",
              addressClass,
              direction: "out",
              kind: "gen1"
            }
            assert.strictEqual(outcome(link), outcome({ ...link, label: word }), JSON.stringify(label))
          }
  })

  it("every refusal names what it rests on: the label, the kind of peer, the key, and the way out of it", () => {
    for (const link of everyLink()) {
      const verdict = decide(link)
      if (verdict.allowed) continue
      const label = normalLabel(link.label)
      const byLabel = label !== null && !LOCAL.includes(label)
      const told = verdict.why
      const names =
        verdict.code === "PIN_MISMATCH"
          ? /certificate/u.test(told) && /key/u.test(told)
          : link.negotiated?.security === "plain" && link.scheme === "wss"
            ? /without/u.test(told)
            : (byLabel ? told.includes(`"${label}"`) : /WAN|kernel peers/u.test(told)) &&
              /wss:\/\/|generation 1/u.test(told) &&
              (verdict.code === "INSECURE_TRANSPORT" ? /not encrypted/u : /whose certificate/u).test(told)
      if (!names) assert.fail(`${JSON.stringify(link)}: ${told}`)
    }
  })
})

/** A kernel peer on the LAN as it should be; each row below changes what it names. */
const base: LinkFacts = {
  deviceId: ME,
  kind: "kernel",
  direction: "out",
  label: "lan",
  scheme: "wss",
  addressClass: "private",
  pin: "device"
}
const gen1: LinkFacts = { ...base, kind: "gen1", scheme: "ws", pin: "none" }
const tls = (proved: string | null, remote: (typeof classes)[number] = "private"): Pick<LinkFacts, "negotiated"> => ({
  negotiated: { security: "tls", proved, remote, address: "10.0.0.7:18789" }
})
const plain = (remote: (typeof classes)[number]): Pick<LinkFacts, "negotiated"> => ({
  negotiated: { security: "plain", proved: null, remote, address: "10.0.0.7:50000" }
})

/** The cases that people ask about, with the answer spelled out. */
const rows: ReadonlyArray<readonly [name: string, link: LinkFacts, verdict: string, posture: Posture]> = [
  ["B18 a kernel peer near us by TLS", base, "allowed", "tls-pinned"],
  ["B18 a kernel peer near us in plain text", { ...base, scheme: "ws" }, "INSECURE_TRANSPORT", "insecure"],
  [
    "B18 a kernel peer that discovery found, plain",
    { ...base, scheme: "ws", label: "mdns" },
    "INSECURE_TRANSPORT",
    "insecure"
  ],
  ["B18 a kernel peer on loopback, plain", { ...base, scheme: "ws", addressClass: "loopback" }, "allowed", "insecure"],
  ["B18 a kernel peer by TLS without a pin", { ...base, pin: "none" }, "UNPINNED_TRANSPORT", "tls-unpinned"],
  ["B18 a kernel peer far away by TLS", { ...base, label: "relay", addressClass: "public" }, "allowed", "tls-pinned"],
  ["B18 generation 1 near us, plain", gen1, "allowed", "insecure"],
  ["B18 generation 1 near us, no label", { ...gen1, label: null }, "allowed", "insecure"],
  ["B18 generation 1 near us, by TLS without a pin", { ...gen1, scheme: "wss" }, "allowed", "tls-unpinned"],
  ["B18 generation 1, plain, label vpn", { ...gen1, label: "vpn" }, "INSECURE_TRANSPORT", "insecure"],
  ["B18 generation 1, TLS, label vpn", { ...gen1, label: "vpn", scheme: "wss" }, "UNPINNED_TRANSPORT", "tls-unpinned"],
  [
    "B18 generation 1, pinned, label vpn",
    { ...gen1, label: "vpn", scheme: "wss", pin: "fingerprint" },
    "allowed",
    "tls-pinned"
  ],
  ["B18 label lan on a public address", { ...gen1, addressClass: "public" }, "INSECURE_TRANSPORT", "insecure"],
  [
    "B18 no label on a public address",
    { ...gen1, label: null, addressClass: "public" },
    "INSECURE_TRANSPORT",
    "insecure"
  ],
  [
    "B18 a tunnel's label on its loopback end",
    { ...gen1, label: "vpn", addressClass: "loopback" },
    "INSECURE_TRANSPORT",
    "insecure"
  ],
  [
    "B18 a name under .local that resolved to a public address",
    { ...gen1, ...plain("public") },
    "INSECURE_TRANSPORT",
    "insecure"
  ],
  [
    "C35 in: a kernel peer, plain, from the LAN",
    { ...base, direction: "in", scheme: "ws", label: null, ...plain("private") },
    "INSECURE_TRANSPORT",
    "insecure"
  ],
  [
    "C35 in: a kernel peer, plain, from loopback",
    { ...base, direction: "in", scheme: "ws", label: null, addressClass: "loopback", ...plain("loopback") },
    "allowed",
    "insecure"
  ],
  [
    "C35 in: generation 1, plain, from the LAN",
    { ...gen1, direction: "in", label: null, ...plain("private") },
    "allowed",
    "insecure"
  ],
  [
    "C35 in: generation 1, plain, from far away",
    { ...gen1, direction: "in", label: null, ...plain("public") },
    "INSECURE_TRANSPORT",
    "insecure"
  ],
  [
    "C35 in: generation 1, by TLS, from far away",
    { ...gen1, direction: "in", scheme: "wss", label: null, pin: "fingerprint", ...tls(null, "public") },
    "UNPINNED_TRANSPORT",
    "tls-unpinned"
  ],
  [
    "C35 in: a kernel peer that showed its key",
    { ...base, direction: "in", pin: "none", label: null, ...tls(ME, "public") },
    "allowed",
    "tls-pinned"
  ],
  ["C34 the right key", { ...base, ...tls(ME) }, "allowed", "tls-pinned"],
  ["C34, A34 the key of another device", { ...base, ...tls(OTHER) }, "PIN_MISMATCH", "tls-unpinned"],
  [
    "C34, A34 a self-signed certificate with another kind of key",
    { ...base, ...tls(null) },
    "PIN_MISMATCH",
    "tls-unpinned"
  ],
  [
    "A34 the key of another device, on loopback",
    { ...base, addressClass: "loopback", ...tls(OTHER, "loopback") },
    "PIN_MISMATCH",
    "tls-unpinned"
  ],
  [
    "A35 a fingerprint does not stand for a kernel peer's key",
    { ...base, pin: "fingerprint", ...tls(null) },
    "PIN_MISMATCH",
    "tls-pinned"
  ],
  ["C34 a pinned dial that meets plain text", { ...base, ...plain("private") }, "INSECURE_TRANSPORT", "insecure"],
  [
    "C34 the same on loopback",
    { ...base, addressClass: "loopback", ...plain("loopback") },
    "INSECURE_TRANSPORT",
    "insecure"
  ],
  [
    "B19 generation 1 with its pinned certificate",
    { ...gen1, scheme: "wss", pin: "fingerprint", label: "relay", ...tls(null, "public") },
    "allowed",
    "tls-pinned"
  ],
  [
    "B19 generation 1 whose certificate is another device's",
    { ...gen1, scheme: "wss", pin: "fingerprint", ...tls(OTHER) },
    "PIN_MISMATCH",
    "tls-pinned"
  ]
]

describe("transport policy: by example", () => {
  for (const [name, link, verdict, posture] of rows)
    it(`${name}: ${verdict}`, () => {
      assert.strictEqual(outcome(link), verdict)
      assert.strictEqual(decide(link).posture, posture)
    })

  it("B18 the local labels are three", () => {
    const local = labels.filter((label) => decide({ ...gen1, label }).allowed && normalLabel(label) !== null)
    assert.sameMembers([...new Set(local.map((label) => normalLabel(label)))], ["lan", "mdns", "local"])
  })
})

describe("docs/reference/link-policy.md says what the code does", () => {
  const text = readFileSync(new URL("../../../docs/reference/link-policy.md", import.meta.url), "utf8")
  const cells = text
    .split("\n")
    .filter((line) => /^\| `(?:insecure|tls-unpinned|tls-pinned)` /u.test(line))
    .map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim().replaceAll("`", ""))
    )

  it("the table: posture by kind and reach", () => {
    const of = (posture: Posture): Pick<LinkFacts, "scheme" | "pin"> =>
      posture === "insecure"
        ? { scheme: "ws", pin: "none" }
        : { scheme: "wss", pin: posture === "tls-pinned" ? "device" : "none" }
    const expected = (["insecure", "tls-unpinned", "tls-pinned"] as const).map((posture) => [
      posture,
      ...(["kernel", "gen1"] as const).flatMap((kind) =>
        classes.map((addressClass) => outcome({ ...base, kind, addressClass, label: null, ...of(posture) }))
      )
    ])
    assert.deepStrictEqual(cells, expected)
  })
})
