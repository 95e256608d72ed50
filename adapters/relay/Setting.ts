/** A relay as the operator writes it down: `<relay id>=wss://host:port`. */
import { isDeviceId } from "../../kernel/identity/MeshId.ts"
import { parse, render } from "../../kernel/links/Address.ts"
import type { Place } from "./Client.ts"

/** `null`: it is none. */
export const readRelay = (text: string): Place | null => {
  const at = text.indexOf("=")
  const relayId = text.slice(0, Math.max(0, at)).trim()
  const address = parse(text.slice(at + 1).trim())
  if (!isDeviceId(relayId) || address._tag === "Mistake" || address.scheme !== "wss" || address.path !== "") return null
  return { relayId, host: address.host, port: address.port }
}

export const renderRelay = ({ host, port, relayId }: Place): string =>
  `${relayId}=${render({ scheme: "wss", host, port, path: "" })}`
