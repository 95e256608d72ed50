/** What the kernel is told of the path that a link runs over (PROTOCOL.md P1.8). */
import * as net from "node:net"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { survey } from "../../../adapters/ws/Path.ts"

/** A socket as far as it is looked at, so that addresses can be had which this machine does not have. */
const socketFrom = (remoteAddress: string | undefined, remotePort = 4_711): net.Socket => {
  const socket = new net.Socket()
  Object.defineProperties(socket, { remoteAddress: { value: remoteAddress }, remotePort: { value: remotePort } })
  return socket
}

describe("a plain path", () => {
  it("is told with the far address, IPv6 in brackets, and the class that the policy goes by", () => {
    const seen = (address: string) => survey(socketFrom(address))!.path
    const plain = { security: "plain", proved: null } as const
    const expected = [
      ["127.0.0.1", "127.0.0.1:4711", "loopback"],
      ["::1", "[::1]:4711", "loopback"],
      ["192.168.1.9", "192.168.1.9:4711", "private"],
      ["fe80::1%eth0", "[fe80::1%eth0]:4711", "private"],
      ["10.0.0.1", "10.0.0.1:4711", "private"],
      ["8.8.8.8", "8.8.8.8:4711", "public"],
      ["2001:4860:4860::8888", "[2001:4860:4860::8888]:4711", "public"]
    ] as const
    for (const [address, told, remote] of expected)
      assert.deepStrictEqual(seen(address), { ...plain, address: told, remote }, address)
  })

  it("of an IPv4 address in IPv6's clothes is told as what it is: it is no other class of address", () => {
    for (const [address, told, remote] of [
      ["::ffff:127.0.0.1", "127.0.0.1:4711", "loopback"],
      ["::FFFF:8.8.8.8", "8.8.8.8:4711", "public"]
    ] as const) {
      const { path } = survey(socketFrom(address))!
      assert.strictEqual(path.address, told)
      assert.strictEqual(path.remote, remote)
    }
  })

  it("has no exporter and proves nobody", () => {
    const { exporter, path } = survey(socketFrom("127.0.0.1"))!
    assert.isNull(exporter)
    assert.isNull(path.proved)
  })
})

describe("a socket that is gone", () => {
  it.live("has no path: before it connects, when it was destroyed, and when it ended", () =>
    Effect.gen(function* () {
      assert.isNull(survey(socketFrom(undefined)))
      const destroyed = socketFrom("127.0.0.1")
      destroyed.destroy()
      assert.isNull(survey(destroyed))
      const real = yield* Effect.callback<net.Socket>((resume) => {
        const server = net.createServer((socket) => socket.destroy())
        server.listen(0, "127.0.0.1", () => {
          const { port } = server.address() as net.AddressInfo
          const socket = net.connect({ host: "127.0.0.1", port })
          socket.on("error", () => {}).resume()
          socket.once("close", () => {
            server.close()
            resume(Effect.succeed(socket))
          })
        })
      })
      assert.isNull(survey(real))
    })
  )
})
