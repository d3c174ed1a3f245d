/**
 * Asks the router to forward ports: UPnP Internet Gateway Device 1 and 2 (WANIPConnection:1 and :2, WANPPPConnection:1). The router is
 * found by SSDP. What it says is believed as far as it is of use: its description must come from the host that answered, and is small.
 * @module
 */
import { createSocket } from 'node:dgram'
import type { Socket } from 'node:dgram'
import { once } from 'node:events'
import { isIPv4 } from 'node:net'
import type { AddressInfo } from 'node:net'

const SSDP = { host: '239.255.255.250', port: 1900 } as const
const SEARCH_TARGETS = [
  'urn:schemas-upnp-org:device:InternetGatewayDevice:2',
  'urn:schemas-upnp-org:device:InternetGatewayDevice:1',
]
const TEXT_BYTES_MAX = 256 * 1024
const SERVICE =
  /<serviceType>(urn:schemas-upnp-org:service:WAN(?:IP|PPP)Connection:[12])<\/serviceType>.*?<controlURL>([^<]+)<\/controlURL>/s

export interface Gateway {
  readonly controlUrl: URL
  readonly service: string
  /** This machine's address on the router's network. */
  readonly localHost: string
}

export interface Forward {
  readonly protocol: 'TCP' | 'UDP'
  readonly port: number
}

/** @throws when no router answers before the signal. */
export async function findGateway(signal: AbortSignal): Promise<Gateway> {
  const socket = createSocket('udp4')
  try {
    socket.bind(0)
    await once(socket, 'listening', { signal })
    search(socket)
    for (;;) {
      const [message, from] = (await once(socket, 'message', { signal })) as [Buffer, AddressInfo]
      const location = /^location:\s*(\S+)/im.exec(message.toString('latin1'))?.[1]
      if (location === undefined || !URL.canParse(location)) continue
      const url = new URL(location)
      if (url.protocol !== 'http:' || url.hostname !== from.address) continue
      const gateway = await describe(url, signal).catch(() => null)
      if (gateway !== null) return gateway
    }
  } finally {
    socket.close()
  }
}

function search(socket: Socket): void {
  for (const target of SEARCH_TARGETS) {
    const lines = [
      'M-SEARCH * HTTP/1.1',
      `HOST: ${SSDP.host}:${SSDP.port}`,
      'MAN: "ssdp:discover"',
      'MX: 1',
      `ST: ${target}`,
    ]
    // Without a route the send fails; then no router will be found, and that is what is said.
    socket.send(`${lines.join('\r\n')}\r\n\r\n`, SSDP.port, SSDP.host, () => {})
  }
}

async function describe(location: URL, signal: AbortSignal): Promise<Gateway | null> {
  const response = await fetch(location, { signal, redirect: 'error' })
  const [, service, path] = SERVICE.exec(await boundedText(response)) ?? []
  if (service === undefined || path === undefined) return null
  const controlUrl = new URL(path.trim(), location)
  if (controlUrl.hostname !== location.hostname || controlUrl.protocol !== 'http:') return null
  return { controlUrl, service, localHost: await localHostTowards(location.hostname, signal) }
}

/** The address that packets to there leave from. */
async function localHostTowards(host: string, signal: AbortSignal): Promise<string> {
  const socket = createSocket('udp4')
  try {
    socket.connect(9, host)
    await once(socket, 'connect', { signal })
    return socket.address().address
  } finally {
    socket.close()
  }
}

/** @throws when the router does not know. */
export async function externalHost(gateway: Gateway, signal: AbortSignal): Promise<string> {
  const answer = await call(gateway, 'GetExternalIPAddress', {}, signal)
  const host = /<NewExternalIPAddress>\s*([^<\s]+)/.exec(answer)?.[1] ?? ''
  if (!isIPv4(host)) throw new Error('the router does not know its own address')
  return host
}

/** Forwards the router's port of the same number to this machine; again before it runs out. @throws when the router refuses. */
export async function forward(
  gateway: Gateway,
  { protocol, port }: Forward,
  leaseSeconds: number,
  signal: AbortSignal,
): Promise<void> {
  const mapping = {
    NewRemoteHost: '',
    NewExternalPort: `${port}`,
    NewProtocol: protocol,
    NewInternalPort: `${port}`,
    NewInternalClient: gateway.localHost,
    NewEnabled: '1',
    NewPortMappingDescription: 'althing',
  }
  await call(gateway, 'AddPortMapping', { ...mapping, NewLeaseDuration: `${leaseSeconds}` }, signal)
}

/** @throws when the router refuses. */
export async function unforward(
  gateway: Gateway,
  { protocol, port }: Forward,
  signal: AbortSignal,
): Promise<void> {
  const mapping = { NewRemoteHost: '', NewExternalPort: `${port}`, NewProtocol: protocol }
  await call(gateway, 'DeletePortMapping', mapping, signal)
}

async function call(
  { controlUrl, service }: Gateway,
  action: string,
  args: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<string> {
  // Nothing in the arguments needs escaping: numbers, addresses and fixed words.
  const fields = Object.entries(args).map(([name, value]) => `<${name}>${value}</${name}>`)
  const response = await fetch(controlUrl, {
    method: 'POST',
    redirect: 'error',
    signal,
    headers: { 'content-type': 'text/xml; charset="utf-8"', soapaction: `"${service}#${action}"` },
    body: `<?xml version="1.0"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" s:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body><u:${action} xmlns:u="${service}">${fields.join('')}</u:${action}></s:Body></s:Envelope>`,
  })
  const text = await boundedText(response)
  if (response.ok) return text
  const reason = /<errorDescription>([^<]*)/.exec(text)?.[1] ?? `HTTP ${response.status}`
  throw new Error(`the router refused ${action}: ${reason}`)
}

async function boundedText(response: Response): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true })
    if (text.length > TEXT_BYTES_MAX) throw new Error('the router says too much')
  }
  return text
}
