/** A device that lost its journal asks by the handshake (P3.14, P3.15): what becomes of the answers. */
import { assert, describe, it } from "@effect/vitest"
import { configOf, Drive, three, type Face } from "../drive.ts"

const remembering = (remembers: number): Face => ({ hello: { remembers } as never })

/** It has its key and no journal, and asks. */
const asking = (): Drive => {
  const drive = new Drive(configOf(three, "c"))
  drive.feed({ _tag: "Started", bootId: drive.bootId, durable: drive.durable, amnesia: true })
  assert.strictEqual(drive.node.phase, "recalling")
  return drive
}

/** It has asked `a`, which has answered, and from here on its own key takes its time. */
const checking = (face: Face): { readonly drive: Drive; readonly link: number } => {
  const drive = asking()
  while (drive.contact("a").attempt === null) drive.ring()
  const link = drive.nextLink()
  drive.linkUp(drive.contact("a").attempt, link)
  const login = drive.answerChallenge(link)
  drive.keysWait = true
  drive.answerLogin(link, "a", face, login)
  return { drive, link }
}

describe("the end of the connection behind the answer", () => {
  const told = (act: (drive: Drive, link: number) => void): Drive => {
    const { drive, link } = checking(remembering(7))
    act(drive, link)
    drive.keysWait = false
    drive.release()
    drive.reach("b", remembering(3))
    return drive
  }

  it("comes before the key has checked it, and the answer counts all the same", () => {
    const drive = told((d, link) => d.feed({ _tag: "LinkDown", link, reason: "closed" }))
    assert.deepInclude(drive.node, { phase: "running", incarnation: 8 })
  })

  it("comes after it, which is the same", () => {
    const drive = told(() => {})
    assert.deepInclude(drive.node, { phase: "running", incarnation: 8 })
  })

  it("an answer that its key does not bear out counts for nothing, and leaves nothing behind", () => {
    const { drive, link } = checking({ ...remembering(7), instead: { signature: "forged" } })
    drive.feed({ _tag: "LinkDown", link, reason: "closed" })
    drive.release()
    assert.isEmpty(drive.node.links.links)
    assert.isEmpty(drive.node.recall.answered)
    assert.isNull(drive.contact("a").attempt)
  })

  it("a key that never answers does not keep the link beyond its handshake", () => {
    const { drive, link } = checking(remembering(7))
    drive.feed({ _tag: "LinkDown", link, reason: "closed" })
    assert.isNotEmpty(drive.node.links.links)
    drive.pass(drive.config.profile.handshakeMs + 1)
    assert.isEmpty(drive.node.links.links.filter((open) => open.link === link))
  })
})
