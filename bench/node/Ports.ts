/**
 * Ports of loopback for processes that have to be told theirs beforehand. They lie below those that the kernel gives out by
 * itself (`ip_local_port_range`, from 32,768 on): a port from there that was free a moment ago may by now be the near end of
 * anybody's connection, and a node that is started on it finds it taken. Each process begins somewhere else, so that files of
 * tests that run side by side do not meet.
 */
import { createServer } from "node:net"

const FIRST = 10_240
const PORTS = 22_000

let next = (process.pid * 997) % PORTS

const isFree = (port: number): Promise<boolean> =>
  new Promise((answer) => {
    const server = createServer().once("error", () => answer(false))
    server.listen(port, "127.0.0.1", () => server.close(() => answer(true)))
  })

/** A port that nobody listens on, and that this process has not named before; throws when there is none. */
export const freePort = async (): Promise<number> => {
  for (let tried = 0; tried < PORTS; tried++) {
    const port = FIRST + next
    next = (next + 1) % PORTS
    if (await isFree(port)) return port
  }
  throw new Error(`no port of loopback is free from ${FIRST} to ${FIRST + PORTS - 1}`)
}
