/** Every mistake, at its place: what is underlined there, and what is said about it. */
import { assert, describe, it } from "@effect/vitest"
import { keys } from "../../../adapters/config/NodeFile.ts"
import { renderMistakes } from "../../../adapters/config/Mistake.ts"
import { FILE, mistakes, settings, told } from "./Reading.ts"

const id = "a".repeat(64)

/** A file with one mistake: its place, what is underlined, and what the sentence holds. */
const inFile = (file: string, place: string, underlined: string, ...words: ReadonlyArray<string>): void => {
  const all = told({ file })
  assert.strictEqual(all.length, 1, JSON.stringify(all))
  const [at, what, message] = all[0]!
  assert.deepStrictEqual([at, what], [place, underlined], file)
  for (const word of words) assert.include(message, word)
}

describe("node.yaml: each value that does not fit", () => {
  const rows: ReadonlyArray<readonly [string, string, ...Array<string>]> = [
    ["name: ''", "''", "a name is 1 to 63 bytes"],
    [`name: ${"n".repeat(64)}`, "n".repeat(64), "a name is 1 to 63 bytes"],
    ['name: " x"', '" x"', "a name is"],
    ['name: "a\\u202eb"', '"a\\u202eb"', "a name is"],
    ["name: true", "true", "a name is"],
    ["name: [a]", "[a]", "a name is"],
    ["name: {a: b}", "{a: b}", "a name is"],
    ["role: plannner", "plannner", "a role is one of node, planner", "did you mean planner?"],
    ["role: standby", "standby", "standby-planner"],
    ["role: 7", "7", "a role is one of"],
    ["mesh-name: ''", "''", "the name of a mesh is"],
    ["mesh-id: bhoomi", "bhoomi", "64 hexadecimal digits or a UUID"],
    [`mesh-id: ${"A".repeat(64)}`, "A".repeat(64), "small letters"],
    ["mesh-key: abc", "abc", "Ed25519 public key, 43 characters"],
    [`mesh-key: ${"A".repeat(43)}`, "A".repeat(43), "Ed25519 public key"],
    ["host: ws://10.0.0.1", "ws://10.0.0.1", "without scheme, port and brackets"],
    ["host: 10.0.0.1:80", "10.0.0.1:80", "without scheme, port and brackets"],
    ["host: 256.1.1.1", "256.1.1.1", "an IP address or a host name"],
    ["port: 65536", "65536", "a whole number from 0", "INVALID_PORT"],
    ["port: -1", "-1", "INVALID_PORT"],
    ["port: 18.5", "18.5", "INVALID_PORT"],
    ["port: .inf", ".inf", "INVALID_PORT"],
    ["port: '80'", "'80'", "INVALID_PORT", "without quotes"],
    ["port: 010", "010", "octal"],
    ["metrics-port: 65536", "65536", "a whole number from 0"],
    ["relays: [wss://relay.example]", "wss://relay.example", "clawmesh-node relay prints it"],
    ["relay-grants: [x]", "x", "clawmesh-node relay grant prints it"],
    ["relay-token-file: ''", "''", "the token for relays is in a file"],
    ["port: eighty", "eighty", "INVALID_PORT"],
    ["state: ''", "''", "the state directory is a path"],
    ["peers: x", "x", "peers are a list"],
    ["discovery: yes", "yes", "a boolean in YAML 1.1", "write true"],
    ["discovery: Off", "Off", "a boolean in YAML 1.1", "write false"],
    ["watchdog: 1", "1", "watchdog is true or false"],
    ["discovery: 1", "1", "discovery is true or false"],
    ["discovery: 'true'", "'true'", "without quotes"],
    [`electors: ${id}`, id, "electors are a list of device ids"],
    ["persons: asha", "asha", "persons are a list of names and keys"],
    ["manifest-version: 0", "0", "from 1"],
    ["recording-mb: 64MB", "64MB", "whole number of megabytes"],
    ["profile: wann", "wann", "lan, wan, battery", "did you mean wan?"],
    ["capabilities: camera", "camera", "capabilities are a list"],
    ["farm: ''", "''", "the description of the farm is a path"],
    ["log: jsn", "jsn", "did you mean json?"],
    ["name: on", "on", 'write "on" in quotes'],
    ["name: !!str x", "x", "tags (!)"],
    ["name: &a x", "x", "anchors (&)"],
    ["name: *a", "*a", "aliases (*)"]
  ]
  it("one by one", () => {
    for (const [line, underlined, ...words] of rows)
      inFile(`\n${line}\n`, `2:${line.lastIndexOf(underlined) + 1}`, underlined, ...words)
  })

  it("every setting has a value here that does not fit", () => {
    const seen = new Set(rows.map(([line]) => line.split(":")[0]))
    assert.deepStrictEqual(
      keys.filter((key) => !seen.has(key)),
      []
    )
  })

  it("nothing is written behind a key: the key is underlined", () => {
    for (const key of keys) inFile(`${key}:\n`, "1:1", key, "nothing is written here")
  })

  it("an item of a list, at its own place", () => {
    inFile(`electors:\n  - ${id}\n  - abc\n`, "3:5", "abc", "an elector is a device id", "clawmesh-node id")
    inFile(`electors:\n  - ${id}\n  - ${id}\n`, "3:5", id, "a second time")
    inFile("capabilities: [camera, 'two words']\n", "1:24", "'two words'", "one word")
    inFile("capabilities: [camera, [x]]\n", "1:24", "[x]", "one word")
    inFile("capabilities: [camera, yes]\n", "1:24", "yes", "in quotes")
    inFile("capabilities:\n  - camera\n  -\n", "2:3", "- camera", "nothing is written here")
  })

  it("an item that is no text hides none of its neighbours", () => {
    assert.deepStrictEqual(
      told({ file: `peers: [{}, '${id}=ftp://x']\nelectors: [{}, ${id}, ${id}]\n` }).map(([place]) => place),
      ["1:9", `1:${14 + 65}`, "2:12", `2:${16 + 66}`]
    )
  })

  it("B16 a peer, at the character that does not read; all mistakes of it", () => {
    inFile(`peers:\n  - ${id}=ftp://x\n`, `2:${5 + 65}`, "ftp://x", "not a scheme of a link", "INVALID_PEER_URL")
    inFile(`peers:\n  - "${id}=ftp://x"\n`, `2:${6 + 65}`, "ftp://x", "not a scheme of a link")
    const all = told({ file: "peers: ['abc=ws://x:99999|zz']\n" })
    assert.deepStrictEqual(
      all.map(([place, underlined]) => [place, underlined]),
      [
        ["1:10", "abc=ws://x:99999|zz"],
        ["1:20", ":99999|zz"],
        ["1:27", "zz"]
      ]
    )
  })
})

describe("node.yaml as a whole", () => {
  it("keys that there are not, and keys that are there twice", () => {
    inFile("prot: 80\n", "1:1", "prot", "no such setting", "did you mean port?")
    inFile("colour: red\n", "1:1", "colour", "there are name, role, mesh-name")
    inFile("meshName: x\n", "1:1", "meshName", "did you mean mesh-name?")
    inFile("name: a\nport: 1\nname: b\n", "3:1", "name", "a second time; the first is in line 1")
    inFile("? [a]\n: b\n", "1:3", "[a]", "one plain word")
    inFile("__proto__: x\n", "1:1", "__proto__", "no such setting")
    inFile("constructor: x\n", "1:1", "constructor", "no such setting")
  })

  it("not a mapping, not YAML, not one document", () => {
    inFile("- name\n", "1:1", "- name", "a configuration is a mapping")
    inFile("jetson-1\n", "1:1", "jetson-1", "a configuration is a mapping")
    inFile("name: [a\n", "1:9", "", "not YAML: Flow sequence")
    inFile("name: a\n\tport: 1\n", "2:1", "\t", "a tab cannot indent YAML")
    inFile("name: a\n---\nname: b\n", "2:1", "---", "a second document")
    inFile("%YAML 1.1\n---\nname: a\n", "1:1", "%YAML 1.1", "remove this line")
  })

  it("a mesh has a name or an id, not both in one place (B8)", () => {
    inFile(`mesh-name: bhoomi\nmesh-id: ${id}\n`, "2:10", id, "a name or an id")
  })

  it("all mistakes of the file at once, in the order of its lines", () => {
    const file = `name: ''\nrole: plannner\nport: 99999\nelectors: [x, z]\n`
    assert.deepStrictEqual(
      told({ file }).map(([place, underlined]) => [place, underlined]),
      [
        ["1:7", "''"],
        ["2:7", "plannner"],
        ["3:7", "99999"],
        ["4:12", "x"],
        ["4:15", "z"]
      ]
    )
  })

  it("a word that other readers take for a boolean hides none of its neighbours", () => {
    assert.deepStrictEqual(
      told({ file: "electors: [x, on, z]\nport: 99999\n" }).map(([place, underlined]) => [place, underlined]),
      [
        ["1:12", "x"],
        ["1:15", "on"],
        ["1:19", "z"],
        ["2:7", "99999"]
      ]
    )
  })

  it("mistakes of all sources at once, also of what a stronger one overrides", () => {
    const places = told({
      flags: ["--role", "plannr", "--port", "x"],
      environment: { CLAWMESH_ROLE: "veiwer", CLAWMESH_PROT: "7" },
      file: "role: feild\n"
    }).map(([place]) => place)
    assert.deepStrictEqual(places, ["--role", "--port", "CLAWMESH_PROT", "CLAWMESH_ROLE", "1:7"])
  })

  it("comments only, or nothing at all, sets nothing", () => {
    for (const file of ["", "# nothing\n", "\n\n", "---\n", "\ufeff# mark\n"])
      assert.strictEqual(settings({ file }).role, "node")
  })

  it("an id that YAML takes for a number is an id", () => {
    for (const digits of ["1".repeat(64), `12e${"3".repeat(61)}`, `0${"7".repeat(63)}`]) {
      assert.deepStrictEqual(settings({ file: `electors: [${digits}]\nname: 123\n` }).electors, [digits])
      assert.strictEqual(settings({ file: `mesh-id: ${digits}\n` }).meshId, digits)
    }
  })

  it("bytes that are no text, and a file that is too large", () => {
    const message = (file: string | Uint8Array) => mistakes({ file }).map(({ message }) => message)
    assert.deepStrictEqual(message(Uint8Array.of(0x6e, 0xff)), ["this is not a text file in UTF-8"])
    assert.deepStrictEqual(
      told({ file: "name: a\nrole: \u0007\n" }).map(([place]) => place),
      ["2:7"]
    )
    assert.deepStrictEqual(message("#".repeat(1_048_577)), ["the file is larger than 1 MiB; no configuration is"])
    assert.deepStrictEqual(message("#".repeat(1_048_576)), [])
  })
})

describe("environment", () => {
  it("each variable that does not fit, underlined in what it says", () => {
    const environment = {
      CLAWMESH_ROLE: "veiwer",
      CLAWMESH_PORT: "0x50",
      CLAWMESH_DISCOVERY: "yes",
      CLAWMESH_ELECTORS: `${id}, abc`,
      CLAWMESH_PEERS: `${id}=wss://h ${id}=h`,
      CLAWMESH_MANIFEST_VERSION: "9999999999999999999"
    }
    const found = told({ environment }).map(([place, underlined]) => `${place} ${underlined}`)
    assert.deepStrictEqual(found.toSorted(), [
      "CLAWMESH_DISCOVERY yes",
      "CLAWMESH_ELECTORS abc",
      "CLAWMESH_MANIFEST_VERSION 9999999999999999999",
      "CLAWMESH_PEERS h",
      "CLAWMESH_PORT 0x50",
      "CLAWMESH_ROLE veiwer"
    ])
  })

  it("one slip in the name of a variable is told; variables of other programs are not ours", () => {
    // Of clawmesh, on whose account a node may be started, too.
    assert.deepStrictEqual(settings({ environment: { CLAWMESH_PERSON: "/home/asha/key.json" } }).persons, [])
    assert.deepStrictEqual(told({ environment: { CLAWMESH_PROT: "80" } }), [
      ["CLAWMESH_PROT", "CLAWMESH_PROT", "no such variable; did you mean CLAWMESH_PORT?"]
    ])
    assert.deepStrictEqual(told({ environment: { CLAWMESH_PEER: "x" } }).length, 1)
    assert.deepStrictEqual(
      told({ environment: { CLAWMESH_NODE: "x", CLAWMESH_LAB: "1", PORT: "x", CLAWMESH_PROT: "" } }),
      []
    )
  })

  it("the file that CLAWMESH_CONFIG names and that is not there", () => {
    assert.deepStrictEqual(told({ environment: { CLAWMESH_CONFIG: "/none" } }), [
      ["CLAWMESH_CONFIG", "", "/none cannot be read: there is no such file"]
    ])
  })
})

describe("flags", () => {
  const one = (
    flags: ReadonlyArray<string>,
    flag: string,
    underlined: string,
    ...words: ReadonlyArray<string>
  ): void => {
    const all = told({ flags })
    assert.strictEqual(all.length, 1, JSON.stringify(all))
    assert.deepStrictEqual(all[0]!.slice(0, 2), [flag, underlined])
    for (const word of words) assert.include(all[0]![2], word)
  }

  it("flags that there are not", () => {
    one(["--prot", "80"], "--prot", "--prot", "did you mean --port?")
    one(["--no-discovry"], "--no-discovry", "--no-discovry", "did you mean --no-discovery?")
    one(["--no-port"], "--no-port", "--no-port", "no such flag")
    one(["--no-help"], "--no-help", "--no-help", "no such flag")
    one(["-p", "80"], "-p", "-p", "no such flag")
    one(["--__proto__=1"], "--__proto__", "--__proto__", "no such flag")
    one(["--colour=red"], "--colour", "--colour", "no such flag")
  })

  it("values that are missing, too many, or no values", () => {
    one(["--name"], "--name", "--name", "needs a value")
    one(["--name="], "--name", "--name", "needs a value")
    one(["--name", "--port"], "--name", "--name", "--name=--port")
    one(["--no-discovery=true"], "--no-discovery", "--no-discovery", "takes no value")
    one(["--name", "a", "--name", "b"], "--name", "b", "a second time")
    // The file that the first of them names is not there either, which is a mistake of its own.
    assert.include(told({ flags: ["--config", "a", "--config", "b"] })[0]![2], "a second time")
    one(["--no-discovery", "--discovery"], "--discovery", "--discovery", "a second time")
  })

  it("values that do not fit: the second of two peers, the role with a slip", () => {
    one(["--role", "plannr"], "--role", "plannr", "did you mean planner?")
    one(["--role=plannr"], "--role", "plannr", "did you mean planner?")
    one(["--port", "1e3"], "--port", "1e3", "INVALID_PORT")
    one(["--peer", `${id}=wss://h`, "--peer", "x"], "--peer", "x", "INVALID_PEER_URL")
    one(["--elector", id, "--elector", id], "--elector", id, "a second time")
    one(["--mesh-name", "a", "--mesh-id", id], "--mesh-id", id, "a name or an id")
    one(["--log", "JSON"], "--log", "JSON", "did you mean json?")
  })
})

describe("how mistakes look", () => {
  it("the place as editors take it, the line, a caret under each character", () => {
    assert.strictEqual(
      renderMistakes(mistakes({ flags: ["--port", "x"], file: "name: ok\nrole: plannner  # ours\n" })),
      [
        "--port: a port is a whole number from 0 (any that is free) to 65535 (INVALID_PORT)",
        "    --port x",
        "           ^",
        `${FILE}:2:7: a role is one of node, planner, field, sensor, actuator, viewer, standby-planner; did you mean planner?`,
        "    role: plannner  # ours",
        "          ^^^^^^^^",
        ""
      ].join("\n")
    )
  })

  it("the caret stands under the mistake of a long line, and nothing in it steers the terminal", () => {
    const value = `${"x".repeat(300)}\u001b[31m`
    const lines = renderMistakes(mistakes({ flags: ["--state", "s", "--role", value] })).split("\n")
    assert.isAtMost(Math.max(...lines.slice(1).map((line) => line.length)), 110)
    assert.isFalse(lines.join("").includes("\u001b"))
    const tail = `name: ${"n".repeat(150)}   `
    const [, line, carets] = renderMistakes(mistakes({ file: `${tail}\n` })).split("\n")
    assert.strictEqual(line![carets!.indexOf("^")], "n")
  })

  it("no more than a hundred, and how many more there are", () => {
    const file = `capabilities:\n${"  - 'a b'\n".repeat(120)}`
    const text = renderMistakes(mistakes({ file }))
    assert.match(text, /\nand 20 more\n$/u)
  })
})
