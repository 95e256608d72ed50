/** What a kernel peer signs of a context frame (P14.3), as others write it too: docs/vectors/frames.json. */
import { assert, describe, it } from "@effect/vitest"
import { isContextFrame, relayed, signedText } from "../../../kernel/wire/ContextFrame.ts"
import { frameVectors } from "../../vectors.ts"

describe("P14.3 the text that is signed", () => {
  for (const { given, name, payload } of frameVectors)
    it(`vector: ${name}`, () => {
      const { frame, meshId, meshKey } = given
      // The signature is left out of what is given, and a frame without one is none.
      assert.isTrue(isContextFrame({ ...frame, kernel: { ...frame.kernel!, signature: "s" } }))
      assert.strictEqual(signedText(frame, meshId, meshKey), payload)
      assert.strictEqual(signedText(relayed(frame, 3, 1_000_000), meshId, meshKey), payload)
    })

  it("is another for each mesh and each word of it", () => {
    const texts = new Set(frameVectors.map(({ payload }) => payload))
    // The first two are one frame, here and on its way.
    assert.strictEqual(texts.size, frameVectors.length - 1)
  })
})
