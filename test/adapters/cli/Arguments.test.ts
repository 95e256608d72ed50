import { assert, describe, it } from "@effect/vitest"
import { type Order, readArguments, roles } from "../../../adapters/cli/Arguments.ts"
import { help } from "../../../adapters/cli/Help.ts"
import { Role } from "../../../kernel/wire/Frame.ts"

const words = (line: string): ReadonlyArray<string> => line.split(" ").filter((word) => word !== "")
const order = (line: string): Order | string => {
  const read = readArguments(words(line))
  return "misuse" in read ? read.misuse : read.order
}
const manner = (line: string) => readArguments(words(line)).manner

describe("clawmesh: orders", () => {
  it("each command as it stands in help", () => {
    assert.deepStrictEqual(order("status"), { _tag: "status" })
    assert.deepStrictEqual(order("peers"), { _tag: "peers", name: null })
    assert.deepStrictEqual(order("peers barn-laptop"), { _tag: "peers", name: "barn-laptop" })
    assert.deepStrictEqual(order("events"), { _tag: "events", follow: false, sinceMs: null, kinds: [], about: null })
    assert.deepInclude(order("events --about pump-1"), { about: "pump-1" })
    assert.deepStrictEqual(order("events -f --since 1h --kind peer,leader"), {
      _tag: "events",
      follow: true,
      sinceMs: 3_600_000,
      kinds: ["peer", "leader"],
      about: null
    })
    assert.deepStrictEqual(order("world"), { _tag: "world", zone: null, kinds: [], source: null })
    assert.deepStrictEqual(order("world --zone z --kind event --source barn"), {
      _tag: "world",
      zone: "z",
      kinds: ["event"],
      source: "barn"
    })
    assert.deepStrictEqual(order("trace f"), { _tag: "trace", frame: "f" })
    assert.deepStrictEqual(order("ping barn"), { _tag: "ping", name: "barn", count: 1 })
    assert.deepStrictEqual(order("ping barn --count 3"), { _tag: "ping", name: "barn", count: 3 })
    for (const count of ["0", "-1", "1.5", "10000", "x"])
      assert.include(order(`ping barn --count=${count}`), "1 to 9999")
    assert.deepStrictEqual(order("actuators"), { _tag: "actuators" })
    assert.deepStrictEqual(order("audit --since 1h"), { _tag: "audit", sinceMs: 3_600_000 })
    assert.include(order("audit --since 1"), "write a time with a unit")
    for (const word of ["suspend", "resume"] as const) assert.deepStrictEqual(order(word), { _tag: word })
    assert.deepStrictEqual(order("proposals"), { _tag: "proposals list", all: false })
    assert.deepStrictEqual(order("proposals list --all"), { _tag: "proposals list", all: true })
    assert.deepStrictEqual(order("proposals approve P-4F2K --by asha --shown closed"), {
      _tag: "proposals approve",
      id: "P-4F2K",
      by: "asha",
      shown: "closed",
      typed: null
    })
    assert.deepInclude(order("proposals approve P-4F2K --confirm gate-1"), { typed: "gate-1" })
    assert.include(order("proposals aprove P-4F2K"), "did you mean clawmesh proposals approve?")
    assert.include(order("proposals list --by asha"), "has no flag --by")
    assert.deepStrictEqual(order("hold"), { _tag: "hold", group: null })
    assert.deepStrictEqual(order("hold --of pump-1"), { _tag: "hold of", actuator: "pump-1" })
    assert.include(order("hold well --of pump-1"), "not both")
    assert.include(order("release --of pump-1"), "release has no flag --of")
    assert.deepStrictEqual(order("release well"), { _tag: "release", group: "well" })
    assert.deepStrictEqual(order("set pump-1 open --for 20m --again"), {
      _tag: "set",
      actuator: "pump-1",
      state: "open",
      forMs: 1_200_000,
      again: true
    })
    assert.deepStrictEqual(order("set pump-1 closed"), {
      _tag: "set",
      actuator: "pump-1",
      state: "closed",
      forMs: null,
      again: false
    })
    assert.include(order("set pump-1"), "set needs an actuator and a state")
    assert.include(order("set pump-1 open --for 20"), "write a time with a unit")
    assert.include(order("hold a b"), "hold does not take")
    assert.deepStrictEqual(order("trust list"), { _tag: "trust list" })
    assert.deepStrictEqual(order("trust add abc --role field --name n --key k --gen1"), {
      _tag: "trust add",
      id: "abc",
      role: "field",
      name: "n",
      key: "k",
      may: null,
      gen1: true
    })
    assert.deepStrictEqual(order("trust remove barn"), { _tag: "trust remove", name: "barn" })
    assert.deepStrictEqual(order("trust revoke barn"), { _tag: "trust remove", name: "barn" })
    assert.deepStrictEqual(order("trust rename barn shed"), { _tag: "trust rename", name: "barn", as: "shed" })
    assert.deepInclude(order("trust add abc --role field --may pump-3"), { may: ["pump-3"] })
    assert.deepInclude(order("trust add abc --role field --may none"), { may: [] })
    assert.deepStrictEqual(order("trust show barn"), { _tag: "trust show", name: "barn" })
    assert.deepStrictEqual(order("trust pending"), { _tag: "trust pending" })
    assert.deepStrictEqual(order("init"), { _tag: "init", mesh: null, name: null, role: "planner", second: false })
    assert.deepInclude(order("init --mesh bhoomi --name laptop --role standby-planner"), {
      mesh: "bhoomi",
      name: "laptop",
      role: "standby-planner"
    })
    const invite = {
      _tag: "invite",
      role: "viewer",
      may: [],
      name: null,
      forMs: null,
      file: null,
      qr: false,
      waits: true
    }
    assert.deepStrictEqual(order("invite"), invite as never)
    assert.deepInclude(order("invite --role field --may pump-3,gate-1 --for 10m --no-wait"), {
      role: "field",
      may: ["pump-3", "gate-1"],
      forMs: 600_000,
      waits: false
    })
    assert.deepStrictEqual(order("invite --shut --json"), { _tag: "invite shut" })
    assert.deepStrictEqual(order("join K7QF --at 10.0.0.1"), { _tag: "join", code: "K7QF", at: "10.0.0.1", name: null })
    for (const line of ["version", "--version", "status --version"])
      assert.deepStrictEqual(order(line), { _tag: "version" })
    for (const line of ["help", "help events", "-h", "trust add --help", "events -h"])
      assert.deepStrictEqual(order(line), { _tag: "help" })
  })

  it("flags may stand anywhere, and with =", () => {
    assert.deepStrictEqual(order("--since=90s --kind=peer events --follow"), {
      _tag: "events",
      follow: true,
      sinceMs: 90_000,
      kinds: ["peer"],
      about: null
    })
    assert.deepStrictEqual(manner("--json --state=/x status -q --no-color"), {
      json: true,
      colour: false,
      quiet: true,
      state: "/x"
    })
    assert.deepStrictEqual(manner("status"), { json: false, colour: true, quiet: false, state: null })
  })

  it("times have a unit", () => {
    const since = ["90s", "20m", "1h", "2d", "0.5h"].map((time) => {
      const read = order(`events --since ${time}`)
      return typeof read !== "string" && read._tag === "events" ? read.sinceMs : null
    })
    assert.deepStrictEqual(since, [90_000, 1_200_000, 3_600_000, 172_800_000, 1_800_000])
  })

  it("help names every command, flag and role, and the roles are the kernel's", () => {
    for (const word of [
      "status",
      "peers",
      "events",
      "world",
      "trace",
      "ping",
      "trust list",
      "trust add",
      "trust show",
      "trust pending",
      "trust rename",
      "trust revoke",
      "init",
      "invite",
      "join",
      "version",
      "help"
    ])
      assert.include(help, `clawmesh ${word}`)
    for (const flag of [
      "json",
      "quiet",
      "no-color",
      "state",
      "since",
      "kind",
      "role",
      "name",
      "key",
      "gen1",
      "zone",
      "source",
      "count"
    ])
      assert.include(help, `--${flag}`)
    assert.sameMembers(roles.split(" "), [...Role.literals])
  })
})

describe("clawmesh: wrong use, with the way out", () => {
  const cases: ReadonlyArray<readonly [line: string, says: RegExp]> = [
    ["", /^no command given; write clawmesh status/u],
    ["statsu", /did you mean clawmesh status\?$/u],
    ["peer", /did you mean clawmesh peers\?$/u],
    ["approve P-4F2K", /^no command "approve"; clawmesh help shows all$/u],
    ["open the pump", /^no command "open"/u],
    ["constructor", /^no command "constructor"/u],
    ["__proto__", /^no command "__proto__"/u],
    ["s", /^no command "s"/u],
    ["trust", /^trust needs one word more/u],
    ["trust lst", /did you mean clawmesh trust list\?$/u],
    ["trust revok x", /did you mean clawmesh trust revoke\?$/u],
    ["trust dissolve x", /there are trust list, .* and trust remove$/u],
    ["trust rename x", /^trust rename needs two/u],
    ["join", /^join needs the code that clawmesh invite shows/u],
    ["join A B", /^join does not take "B"$/u],
    ["invite --for 5", /write a time with a unit, a day at most/u],
    ["invite --for 25h", /a day at most/u],
    ["invite --may", /^--may needs what it may move/u],
    ["invite --shut --role field", /takes no other flag/u],
    ["init --role planner", /say --mesh NAME as well/u],
    ["trust add", /^trust add needs the device's id/u],
    ["trust add abc", /^trust add needs a role: --role node\|planner\|/u],
    ["trust add abc --role", /^--role needs a role: node planner/u],
    ["trust add abc --role --gen1", /^--role needs a role/u],
    ["trust add abc --role= --gen1", /^--role needs a role/u],
    ["trust add abc def --role field", /^trust add does not take "def"$/u],
    ["trust remove", /^trust remove needs a name/u],
    ["status now", /^status does not take "now"$/u],
    ["peers a b", /^peers does not take "b"$/u],
    ["status --since 1h", /^status has no flag --since$/u],
    ["peers -f", /^peers has no flag --follow$/u],
    ["events --since", /^--since needs a time/u],
    ["events --since 1", /write a time with a unit/u],
    ["events --since 0s", /write a time with a unit/u],
    ["events --since yesterday", /write a time with a unit/u],
    ["events --since 1h --since 2h", /^--since is given twice$/u],
    ["events --folow", /did you mean --follow\?$/u],
    ["events --sinc=1h", /did you mean --since\?$/u],
    ["status --jsno", /did you mean --json\?$/u],
    ["status --json=x", /^--json takes no value/u],
    ["status -x", /^no flag -x/u],
    ["--state", /^--state needs a directory/u]
  ]
  for (const [line, says] of cases)
    it(`clawmesh ${line}`, () => {
      const read = order(line)
      assert.match(typeof read === "string" ? read : `not refused: ${read._tag}`, says)
    })

  it("how to tell of a mistake is known whatever the mistake", () => {
    assert.isTrue(manner("statsu --json").json)
    assert.isTrue(manner("--json events --since").json)
  })
})
