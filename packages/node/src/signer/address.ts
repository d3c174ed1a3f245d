/**
 * Where a signer is: `unix:/run/althing/signer.sock`, or `tcp:127.0.0.1:7000`. It is on this machine: what is sent is
 * neither encrypted nor bound to a peer.
 * @module
 */
import { isIP } from 'node:net'

export type SignerAddress =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }

export const SIGNER_ADDRESS_FORM = '"unix:/path/of/the.sock" or "tcp:127.0.0.1:7000", on this machine'

/** @returns null for anything else. */
export function parseSignerAddress(text: string): SignerAddress | null {
  const [, path] = /^unix:(\/.+)$/.exec(text) ?? []
  if (path !== undefined) return { kind: 'unix', path }
  const [, host, port] = /^tcp:(127\.[0-9.]+|\[::1\]):([0-9]{1,5})$/.exec(text) ?? []
  if (host === undefined || Number(port) > 65_535) return null
  if (host === '[::1]') return { kind: 'tcp', host: '::1', port: Number(port) }
  return isIP(host) === 4 ? { kind: 'tcp', host, port: Number(port) } : null
}
