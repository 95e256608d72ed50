/** Where others may reach what listens here. */
import os from "node:os"
import { rank } from "../mdns/Addresses.ts"

/** In an invite there is room for few. */
const ADDRESSES_MAX = 4

/** @param host that was listened on; `0.0.0.0` and `::` stand for every address of this machine */
export const reachable = (host: string, port: number, interfaces = os.networkInterfaces()): ReadonlyArray<string> => {
  if (host !== "0.0.0.0" && host !== "::") return [`${host.includes(":") ? `[${host}]` : host}:${port}`]
  return Object.values(interfaces)
    .flatMap((addresses) => addresses ?? [])
    .filter(({ family, internal }) => family === "IPv4" && !internal)
    .flatMap(({ address }) => {
      const good = rank(address)
      return good === null ? [] : [{ address, good }]
    })
    .sort((a, b) => a.good - b.good)
    .slice(0, ADDRESSES_MAX)
    .map(({ address }) => `${address}:${port}`)
}
