/**
 * A small internet of network namespaces: public hosts on one wire, and hosts behind routers that masquerade. Needs root, iproute2 and
 * nftables; the router that forwards ports on request is miniupnpd.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Null when namespaces can be made here; else what is missing, for people. */
export function whatIsMissing(): string | null {
  if (process.platform !== 'linux') return 'network namespaces are a thing of Linux'
  if (process.getuid?.() !== 0) return 'needs root, to make network namespaces'
  for (const [tool, name] of [
    ['ip', 'iproute2'],
    ['nft', 'nftables'],
  ]) {
    if (spawnSync(tool!, ['-V']).error !== undefined) return `needs ${tool} (apt-get install ${name})`
  }
  const probe = `althing-probe-${process.pid}`
  if (spawnSync('ip', ['netns', 'add', probe]).status !== 0) return 'network namespaces cannot be made here'
  const rules = spawnSync('ip', ['netns', 'exec', probe, 'nft', '-f', '-'], { input: MASQUERADE })
  spawnSync('ip', ['netns', 'del', probe])
  return rules.status === 0 ? null : `this kernel does not masquerade: ${rules.stderr.toString().trim()}`
}

export function hasMiniupnpd(): boolean {
  return spawnSync('miniupnpd', ['--version']).error === undefined
}

/**
 * What leaves by `wan` gets the router's address; what comes from there is let in only when it was asked for, or is forwarded.
 * The router itself refuses TCP and says nothing to UDP, as such routers do.
 */
const MASQUERADE = `
table ip router {
  chain leaving { type nat hook postrouting priority 100
    oifname "wan" masquerade
  }
  chain arriving { type nat hook prerouting priority -100
  }
  chain incoming { type filter hook input priority 0
    iifname "wan" ct state new ip protocol tcp reject with tcp reset
    iifname "wan" ct state new drop
  }
  chain crossing { type filter hook forward priority 0
    iifname "wan" ct status dnat accept
    iifname "wan" ct state new drop
  }
}
`
/** The chains that miniupnpd fills. */
const UPNP_CHAINS = `
table inet filter {
  chain forward { type filter hook forward priority 0
    jump miniupnpd
  }
  chain prerouting { type nat hook prerouting priority -100
    jump prerouting_miniupnpd
  }
  chain postrouting { type nat hook postrouting priority 100
    jump postrouting_miniupnpd
  }
  chain miniupnpd { }
  chain prerouting_miniupnpd { }
  chain postrouting_miniupnpd { }
}
`

export class Internet {
  readonly #prefix = `alt${process.pid}`
  readonly #folder = mkdtempSync(join(tmpdir(), 'althing-nat-'))
  readonly #namespaces: string[] = []
  readonly #daemons: ChildProcess[] = []
  #wires = 0

  constructor() {
    this.#add('net')
    this.run('net', 'ip link add bridge type bridge')
    this.run('net', 'ip link set bridge up')
  }

  /** A host that everyone can dial. @param address such as `11.0.0.2`, in 11.0.0.0/24: no private network, and no real one here. */
  addPublicHost(name: string, address: string): void {
    this.#add(name)
    const wire = `${this.#prefix}w${this.#wires++}`
    execFileSync('ip', [
      'link',
      'add',
      wire,
      'netns',
      this.#of('net'),
      'type',
      'veth',
      'peer',
      'name',
      'wan',
      'netns',
      this.#of(name),
    ])
    this.run('net', `ip link set ${wire} master bridge up`)
    this.run(name, `ip addr add ${address}/24 dev wan`)
    this.run(name, 'ip link set wan up')
  }

  /** A host `name` at 10.`site`.0.2, behind the router `name`-router at the public address. */
  addHiddenHost(name: string, site: number, publicAddress: string): void {
    const router = `${name}-router`
    this.addPublicHost(router, publicAddress)
    this.#add(name)
    execFileSync('ip', [
      'link',
      'add',
      'lan',
      'netns',
      this.#of(router),
      'type',
      'veth',
      'peer',
      'name',
      'eth',
      'netns',
      this.#of(name),
    ])
    this.run(router, `ip addr add 10.${site}.0.1/24 dev lan`)
    this.run(router, 'ip link set lan up')
    this.run(name, `ip addr add 10.${site}.0.2/24 dev eth`)
    this.run(name, 'ip link set eth up')
    this.run(name, `ip route add default via 10.${site}.0.1`)
    this.run(router, 'sysctl -qw net.ipv4.ip_forward=1')
    this.run(router, 'nft -f -', MASQUERADE)
  }

  /** By hand, as an administrator does. */
  forwardPort(router: string, port: number, to: string): void {
    this.run(router, `nft add rule ip router arriving iifname wan tcp dport ${port} dnat to ${to}`)
  }

  unforwardPorts(router: string): void {
    this.run(router, 'nft flush chain ip router arriving')
  }

  startUpnp(router: string, site: number): void {
    this.run(router, 'nft -f -', UPNP_CHAINS)
    this.run(router, 'ip route add 239.0.0.0/8 dev lan')
    const config = join(this.#folder, `${router}.conf`)
    const lines = [
      'ext_ifname=wan',
      'listening_ip=lan',
      'enable_upnp=yes',
      'enable_natpmp=no',
      'uuid=bb5e9f88-6470-46db-9058-165d44033d64',
      `allow 1024-65535 10.${site}.0.0/24 1024-65535`,
      'deny 0-65535 0.0.0.0/0 0-65535',
      'upnp_forward_chain=miniupnpd',
      'upnp_nat_chain=prerouting_miniupnpd',
      'upnp_nat_postrouting_chain=postrouting_miniupnpd',
    ]
    writeFileSync(config, lines.join('\n'))
    const args = ['miniupnpd', '-d', '-f', config, '-P', join(this.#folder, `${router}.pid`)]
    this.#daemons.push(spawn('ip', ['netns', 'exec', this.#of(router), ...args], { stdio: 'ignore' }))
  }

  /** Without a word to either side. */
  unplug(host: string): void {
    this.run(host, 'ip link set wan down')
  }

  plugIn(host: string): void {
    this.run(host, 'ip link set wan up')
  }

  run(host: string, command: string, input = ''): string {
    const args = ['netns', 'exec', this.#of(host), ...command.split(' ')]
    return execFileSync('ip', args, { input, stdio: ['pipe', 'pipe', 'pipe'] }).toString()
  }

  /** A Node program on that host, with a channel for messages. */
  spawnNode(host: string, script: string, argument: string): ChildProcess {
    return spawn('ip', ['netns', 'exec', this.#of(host), process.execPath, script, argument], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
  }

  async stop(): Promise<void> {
    for (const daemon of this.#daemons) {
      daemon.kill()
      if (daemon.exitCode === null && daemon.signalCode === null) await once(daemon, 'exit')
    }
    for (const name of this.#namespaces) spawnSync('ip', ['netns', 'del', name])
    rmSync(this.#folder, { recursive: true, force: true })
  }

  #add(name: string): void {
    execFileSync('ip', ['netns', 'add', this.#of(name)])
    this.#namespaces.push(this.#of(name))
    this.run(name, 'ip link set lo up')
  }

  #of(name: string): string {
    return `${this.#prefix}-${name}`
  }
}
