/** What a socket runs over, as the kernel is told: how it is secured, who proved to be there, how far away that is. */
import type { X509Certificate } from "node:crypto"
import type { Socket } from "node:net"
import { TLSSocket } from "node:tls"
import type { LinkPath } from "../../kernel/Input.ts"
import { classOf } from "../../kernel/links/Address.ts"
import { deviceIdOfCertificate } from "../tls/Pin.ts"

/** Label of the TLS exporter (RFC 8446 section 7.5) that binds the handshake of the mesh to this very connection. */
const EXPORTER_LABEL = "EXPORTER-clawmesh"
const EXPORTER_BYTES = 32

export interface Surveyed {
  readonly path: LinkPath
  readonly exporter: string | null
}

/** IPv4 as it is, IPv6 in brackets; an IPv4 address in IPv6's clothes (`::ffff:10.0.0.1`) as what it is. */
const hostOf = (socket: Socket): string | null => {
  const { remoteAddress } = socket
  if (remoteAddress === undefined) return null
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/iu.exec(remoteAddress)?.[1] ?? remoteAddress
}

/** A certificate without a date that reads is as good as any: its key is what counts. */
const dateOf = (certificate: X509Certificate | undefined): Pick<LinkPath, "certificateUntil"> => {
  const certificateUntil = certificate === undefined ? Number.NaN : Date.parse(certificate.validTo)
  return Number.isNaN(certificateUntil) ? {} : { certificateUntil }
}

/**
 * `null`: the socket is gone already. Of a TLS socket, once its handshake has finished. `seen` is the certificate, where it was
 * looked at before: Node shows a client its server's only once. `via` is the tunnel's address, where it runs through one: such
 * a socket has none of its own, and is never plain.
 */
export const survey = (socket: Socket, seen?: X509Certificate, via?: string): Surveyed | null => {
  const host = via === undefined ? hostOf(socket) : ""
  if (host === null || socket.destroyed) return null
  const address = via ?? `${host.includes(":") ? `[${host}]` : host}:${socket.remotePort}`
  const remote = via === undefined ? classOf(host) : "public"
  if (via !== undefined && !(socket instanceof TLSSocket)) return null
  if (!(socket instanceof TLSSocket))
    return { path: { security: "plain", proved: null, remote, address }, exporter: null }
  try {
    const certificate = seen ?? socket.getPeerX509Certificate()
    const proved = certificate === undefined ? null : deviceIdOfCertificate(certificate)
    const exporter = socket.exportKeyingMaterial(EXPORTER_BYTES, EXPORTER_LABEL, Buffer.alloc(0)).toString("base64url")
    return { path: { security: "tls", proved, remote, address, ...dateOf(certificate) }, exporter }
  } catch {
    // The connection ended under us.
    return null
  }
}
