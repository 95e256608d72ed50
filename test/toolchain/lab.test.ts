/** A lab that cannot be is a failure that says what to do; it is never a skipped test. */
import { assert, describe, it } from "@effect/vitest"
import { missing } from "../lab/Lab.ts"

const everything = () => true
const nothing = () => false

describe("what a lab needs", () => {
  it("is root, and ip, ping and nft", () => {
    assert.deepStrictEqual(missing(0, everything), [])
  })

  it("names the Debian package of each tool that is missing", () => {
    assert.deepStrictEqual(missing(0, nothing), [
      "ip is not on the path: apt-get install iproute2",
      "ping is not on the path: apt-get install iputils-ping",
      "nft is not on the path: apt-get install nftables"
    ])
  })

  it("asks for root, also where there are no users", () => {
    const needsRoot = ["Network namespaces need root: run pnpm test:lab as root."]
    assert.deepStrictEqual(missing(1000, everything), needsRoot)
    assert.deepStrictEqual(missing(undefined, everything), needsRoot)
  })
})
