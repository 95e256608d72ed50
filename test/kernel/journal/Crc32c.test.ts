import { assert, describe, it } from "@effect/vitest"
import { crc32c } from "../../../kernel/journal/Crc32c.ts"

const ascending = Uint8Array.from({ length: 32 }, (_, i) => i)

describe("Crc32c", () => {
  it("gives the published values (RFC 3720 B.4, and the catalogue's check value)", () => {
    assert.strictEqual(crc32c(new Uint8Array(32)), 0x8a9136aa)
    assert.strictEqual(crc32c(new Uint8Array(32).fill(0xff)), 0x62a8ab43)
    assert.strictEqual(crc32c(ascending), 0x46dd794e)
    assert.strictEqual(crc32c(ascending.toReversed()), 0x113fdb5c)
    assert.strictEqual(crc32c(new TextEncoder().encode("123456789")), 0xe3069283)
    const readCommand =
      "01c000000000000000000000000000001400000000000400000000140000001828000000000000000200000000000000"
    assert.strictEqual(crc32c(Buffer.from(readCommand, "hex")), 0xd9963a56)
    assert.strictEqual(crc32c(new Uint8Array(0)), 0)
  })

  it("takes a part of the bytes", () => {
    assert.strictEqual(crc32c(ascending, 4, 9), crc32c(ascending.slice(4, 9)))
  })
})
