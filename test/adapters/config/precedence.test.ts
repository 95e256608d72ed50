/** Flag before environment before file before default (issue 3), for each setting and each pair of sources. */
import { grant } from "../../../adapters/relay/Protocol.ts"
import { assert, describe, it } from "@effect/vitest"
import { type Key, keys, variableOf } from "../../../adapters/config/NodeFile.ts"
import { originText } from "../../../adapters/config/Origin.ts"
import type { Settings } from "../../../adapters/config/Settings.ts"
import { generate } from "../../../adapters/keys/Keys.ts"
import { FILE, read, settings } from "./Reading.ts"

const [a, b, c] = ["a", "b", "c"].map((digit) => digit.repeat(64)) as [string, string, string]
const keyA = generate().keys.publicKey
const keyB = generate().keys.publicKey
const keyC = generate().keys.publicKey
const peer = (id: string): string => `${id}=wss://10.0.0.1:18789`

interface Case {
  /** In which field of the settings it ends. */
  readonly field: keyof Settings
  readonly flags: ReadonlyArray<string>
  readonly variable: string
  readonly yaml: string
  readonly expect: {
    readonly flag: unknown
    readonly environment: unknown
    readonly file: unknown
    readonly none: unknown
  }
}

const parsedPeer = (id: string) => ({
  _tag: "StaticPeer",
  deviceId: id,
  url: "wss://10.0.0.1:18789",
  fingerprint: null,
  label: null
})

const relay = (host: string): string => `${"ab".repeat(32)}=wss://${host}:18790`
const relayAt = (host: string) => ({ relayId: "ab".repeat(32), host, port: 18_790 })
const mesh = generate().keys
const grantUntil = (untilMs: number): string => grant(mesh, "ab".repeat(32), "cd".repeat(32), untilMs)

const cases: { readonly [K in Key]: Case } = {
  name: {
    field: "name",
    flags: ["--name", "one"],
    variable: "two",
    yaml: "three",
    expect: { flag: "one", environment: "two", file: "three", none: "jetson-1" }
  },
  role: {
    field: "role",
    flags: ["--role", "planner"],
    variable: "field",
    yaml: "viewer",
    expect: { flag: "planner", environment: "field", file: "viewer", none: "node" }
  },
  "mesh-name": {
    field: "meshName",
    flags: ["--mesh-name", "one"],
    variable: "two",
    yaml: "three",
    expect: { flag: "one", environment: "two", file: "three", none: null }
  },
  "mesh-id": {
    field: "meshId",
    flags: ["--mesh-id", a],
    variable: b,
    yaml: c,
    expect: { flag: a, environment: b, file: c, none: null }
  },
  "mesh-key": {
    field: "meshKey",
    flags: [`--mesh-key=${keyA}`],
    variable: keyB,
    yaml: keyC,
    expect: { flag: keyA, environment: keyB, file: keyC, none: null }
  },
  host: {
    field: "host",
    flags: ["--host", "127.0.0.1"],
    variable: "::1",
    yaml: "'::'",
    expect: { flag: "127.0.0.1", environment: "::1", file: "::", none: "0.0.0.0" }
  },
  port: {
    field: "port",
    flags: ["--port", "0"],
    variable: "65535",
    yaml: "2000",
    expect: { flag: 0, environment: 65_535, file: 2_000, none: 18_789 }
  },
  state: {
    field: "stateDirectory",
    flags: ["--state", "one"],
    variable: "two",
    yaml: "three",
    expect: {
      flag: "/work/one",
      environment: "/work/two",
      file: "/etc/clawmesh/three",
      none: "/home/asha/.local/state/clawmesh"
    }
  },
  peers: {
    field: "peers",
    flags: ["--peer", peer(a), "--peer", peer(b)],
    variable: `${peer(b)} ${peer(c)}`,
    yaml: `["${peer(c)}"]`,
    expect: {
      flag: [parsedPeer(a), parsedPeer(b)],
      environment: [parsedPeer(b), parsedPeer(c)],
      file: [parsedPeer(c)],
      none: []
    }
  },
  discovery: {
    field: "discovery",
    flags: ["--no-discovery"],
    variable: "true",
    yaml: "false",
    expect: { flag: false, environment: true, file: false, none: true }
  },
  electors: {
    field: "electors",
    flags: ["--elector", b, "--elector", a],
    variable: `${b},${c}`,
    yaml: `[${c}]`,
    expect: { flag: [a, b], environment: [b, c], file: [c], none: [] }
  },
  persons: {
    field: "persons",
    flags: ["--person", `asha=${keyA}`, "--person", `asha=${keyB}`],
    variable: `ravi=${keyA}`,
    yaml: `[mira=${keyA}]`,
    expect: {
      flag: [
        { name: "asha", publicKey: keyA },
        { name: "asha", publicKey: keyB }
      ],
      environment: [{ name: "ravi", publicKey: keyA }],
      file: [{ name: "mira", publicKey: keyA }],
      none: []
    }
  },
  "recording-mb": {
    field: "recordingBytes",
    flags: ["--recording-mb", "1"],
    variable: "2",
    yaml: "3",
    expect: { flag: 1_048_576, environment: 2_097_152, file: 3_145_728, none: 0 }
  },
  "manifest-version": {
    field: "manifestVersion",
    flags: ["--manifest-version", "2"],
    variable: "3",
    yaml: "4",
    expect: { flag: 2, environment: 3, file: 4, none: 1 }
  },
  profile: {
    field: "profile",
    flags: ["--profile", "battery"],
    variable: "wan",
    yaml: "battery",
    expect: { flag: "battery", environment: "wan", file: "battery", none: "lan" }
  },
  capabilities: {
    field: "capabilities",
    flags: ["--capability", "actuator:pump-1"],
    variable: "sensor:soil, sensor:rain",
    yaml: "[camera]",
    expect: { flag: ["actuator:pump-1"], environment: ["sensor:soil", "sensor:rain"], file: ["camera"], none: [] }
  },
  farm: {
    field: "farmFile",
    flags: ["--farm", "one.yaml"],
    variable: "/two.yaml",
    yaml: "three.yaml",
    // In a file it is seen from that file, else from where the daemon is started.
    expect: { flag: "/work/one.yaml", environment: "/two.yaml", file: "/etc/clawmesh/three.yaml", none: null }
  },
  relays: {
    field: "relays",
    flags: ["--relay", relay("one")],
    variable: relay("two"),
    yaml: `[${relay("three")}]`,
    expect: { flag: [relayAt("one")], environment: [relayAt("two")], file: [relayAt("three")], none: [] }
  },
  "relay-token-file": {
    field: "relayTokenFile",
    flags: ["--relay-token-file", "one"],
    variable: "/two",
    yaml: "three",
    expect: { flag: "/work/one", environment: "/two", file: "/etc/clawmesh/three", none: null }
  },
  "relay-grants": {
    field: "relayGrants",
    flags: ["--relay-grant", grantUntil(1)],
    variable: grantUntil(2),
    yaml: `[${grantUntil(3)}]`,
    expect: { flag: [grantUntil(1)], environment: [grantUntil(2)], file: [grantUntil(3)], none: [] }
  },
  "metrics-port": {
    field: "metricsPort",
    flags: ["--metrics-port", "9464"],
    variable: "9465",
    yaml: "9466",
    expect: { flag: 9_464, environment: 9_465, file: 9_466, none: null }
  },
  watchdog: {
    field: "watchdog",
    flags: ["--watchdog"],
    variable: "false",
    yaml: "true",
    expect: { flag: true, environment: false, file: true, none: false }
  },
  log: {
    field: "logFormat",
    flags: ["--log", "json"],
    variable: "readable",
    yaml: "json",
    expect: { flag: "json", environment: "readable", file: "json", none: "readable" }
  }
}

const sources = ["flag", "environment", "file"] as const
type Source = (typeof sources)[number]

/** What each source says, of those that are asked to say something. */
const machineOf = (key: Key, asked: ReadonlyArray<Source>) => {
  const { flags, variable, yaml } = cases[key]
  const farms = ["/work/one.yaml", "/two.yaml", "/etc/clawmesh/three.yaml"]
  return {
    ...(key === "farm" ? { files: Object.fromEntries(farms.map((path) => [path, "zones: [{ name: north }]\n"])) } : {}),
    ...(asked.includes("flag") ? { flags } : {}),
    ...(asked.includes("environment") ? { environment: { [variableOf(key)]: variable } } : {}),
    ...(asked.includes("file") ? { file: `# first line\n${key}: ${yaml}\n` } : {})
  }
}

const originOf = (key: Key, source: Source): string => {
  if (source === "environment") return variableOf(key)
  if (source === "file") return `${FILE}:2:${key.length + 3}`
  return cases[key].flags[0]!.split("=")[0]!
}

describe("flag > environment > file > default (issue 3)", () => {
  for (const key of keys) {
    it(`${key}: each alone, each pair, all three, none, each with its origin`, () => {
      const { expect, field } = cases[key]
      const rows: ReadonlyArray<ReadonlyArray<Source>> = [
        ["flag"],
        ["environment"],
        ["file"],
        ["flag", "environment"],
        ["flag", "file"],
        ["environment", "file"],
        ["flag", "environment", "file"]
      ]
      for (const asked of rows) {
        const winner = sources.find((source) => asked.includes(source))!
        const got = settings(machineOf(key, asked))
        assert.deepStrictEqual(got[field], expect[winner], `${key} from ${asked.join(" and ")}`)
        assert.strictEqual(originText(got.origins[key]), originOf(key, winner), `${key} from ${asked.join(" and ")}`)
      }
      const alone = settings({})
      assert.deepStrictEqual(alone[field], expect.none)
      assert.strictEqual(alone.origins[key]._tag, "Default")
    })
  }

  it("--discovery takes back what the file turned off", () => {
    assert.isTrue(settings({ flags: ["--discovery"], file: "discovery: false\n" }).discovery)
  })

  it("an empty variable is as good as none", () => {
    const got = settings({ environment: { CLAWMESH_ROLE: "", CLAWMESH_PORT: " " }, file: "role: field\n" })
    assert.deepStrictEqual([got.role, got.port], ["field", 18_789])
  })

  it("B8 who names the mesh names it whole: an id by flag leaves no name of the file", () => {
    const got = settings({ flags: ["--mesh-id", a], file: "mesh-name: bhoomi\n" })
    assert.deepStrictEqual([got.meshName, got.meshId], [null, a])
    const other = settings({ environment: { CLAWMESH_MESH_NAME: "bhoomi" }, file: `mesh-id: ${a}\n` })
    assert.deepStrictEqual([other.meshName, other.meshId], ["bhoomi", null])
  })

  it("each peer knows where it stands", () => {
    const got = settings({ file: `peers:\n  - ${peer(a)}\n  - ${peer(b)}\n` })
    assert.deepStrictEqual(got.peerOrigins.map(originText), [`${FILE}:2:5`, `${FILE}:3:5`])
  })
})

describe("what defaults follow", () => {
  const stateOf = (machine: Parameters<typeof settings>[0]) => {
    const got = settings(machine)
    return [got.stateDirectory, originText(got.origins.state)]
  }

  it("the state directory: systemd's, root's, the user's", () => {
    assert.deepStrictEqual(stateOf({ environment: { STATE_DIRECTORY: "/var/lib/clawmesh:/x" }, root: true }), [
      "/var/lib/clawmesh",
      "default (STATE_DIRECTORY)"
    ])
    assert.deepStrictEqual(stateOf({ root: true }), ["/var/lib/clawmesh", "default"])
    assert.deepStrictEqual(stateOf({ environment: { XDG_STATE_HOME: "/s" } }), [
      "/s/clawmesh",
      "default (XDG_STATE_HOME)"
    ])
    assert.deepStrictEqual(
      stateOf({ environment: { XDG_STATE_HOME: "not/absolute" } })[0],
      "/home/asha/.local/state/clawmesh"
    )
  })

  it("the name: the first label of the host name, where it is fit to be one", () => {
    assert.strictEqual(settings({ hostName: "jetson-2" }).name, "jetson-2")
    assert.strictEqual(settings({ hostName: "" }).name, "node")
  })
})

describe("which file is read", () => {
  const files = {
    "/work/mine.yaml": "name: mine\n",
    "/run/other.yaml": "name: other\n",
    "/conf/node.yaml": "name: conf\n"
  }

  it("--config before CLAWMESH_CONFIG before systemd's directory before /etc/clawmesh", () => {
    const environment = { CLAWMESH_CONFIG: "/run/other.yaml", CONFIGURATION_DIRECTORY: "/conf" }
    const file = "name: etc\n"
    assert.strictEqual(settings({ flags: ["--config", "mine.yaml"], environment, files, file }).file, "/work/mine.yaml")
    assert.strictEqual(settings({ environment, files, file }).name, "other")
    assert.strictEqual(settings({ environment: { CONFIGURATION_DIRECTORY: "/conf" }, files, file }).name, "conf")
    assert.strictEqual(settings({ files, file }).name, "etc")
    assert.isNull(settings({ files }).file)
  })

  it("a file that was named must be there and readable", () => {
    assert.deepStrictEqual(
      ["/none.yaml", "/secret.yaml", "/folder"].map((path) => {
        const failing = { "/secret.yaml": { failed: "EACCES" }, "/folder": { failed: "EISDIR" } }
        const got = read({ flags: ["--config", path], files: failing })
        return "mistakes" in got ? got.mistakes.map(({ message }) => message) : []
      }),
      [
        ["/none.yaml cannot be read: there is no such file"],
        ["/secret.yaml cannot be read: we may not read it"],
        ["/folder cannot be read: it is a folder"]
      ]
    )
  })

  it("a file that nobody named and that we may not read is left out, and that is said", () => {
    const got = read({ files: { [FILE]: { failed: "EACCES" } } })
    assert.deepStrictEqual("notes" in got ? got.notes : [], [`${FILE} is not used: we may not read it`])
  })
})
