import { strict as assert } from 'node:assert'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import {
  checkAgainstGenesis,
  configDocument,
  loadConfig,
  networkLimits,
  parseConfig,
} from '../src/config/index.ts'
import type { ConfigError, ConfigSources, NodeConfig } from '../src/config/index.ts'

const parse = (toml: string, sources: Partial<ConfigSources> = {}): NodeConfig =>
  parseConfig(toml, { folder: '/etc/althing', ...sources })

/** The lines that a person reads below the first. */
function problemsOf(toml: string, sources: Partial<ConfigSources> = {}): string[] {
  try {
    parse(toml, sources)
  } catch (error) {
    return (error as ConfigError).message
      .split('\n')
      .slice(1)
      .map((line) => line.trim())
  }
  return []
}

describe('a configuration file', () => {
  test('may be empty: everything has a default (PO-7, VC-1, PT-17)', () => {
    const { network, api, node, consensus } = parse('')
    assert.deepEqual(network.listen, ['/ip4/0.0.0.0/tcp/9000'])
    assert.deepEqual([network.maxInbound, network.maxOutbound], [32, 8])
    assert.deepEqual(
      [network.connectionTimeoutMs, network.pingIntervalMs, network.peerTimeoutMs],
      [30_000, 30_000, 120_000],
    )
    assert.deepEqual([api.host, api.port], ['127.0.0.1', 8545])
    assert.equal(node.type, 'full')
    assert.equal(node.dataFolder, '/etc/althing/data')
    assert.equal(consensus.authorityKeyFile, null)
  })

  test('gives durations and sizes as numbers or with units (PT-17)', () => {
    const { network, api } = parse(
      '[network]\nping_interval = 10\nconnection_timeout = "500ms"\npeer_timeout = "2m"\n[api]\nbody_limit = "1MiB"',
    )
    assert.deepEqual(
      [network.pingIntervalMs, network.connectionTimeoutMs, network.peerTimeoutMs],
      [10_000, 500, 120_000],
    )
    assert.equal(api.bodyLimitBytes, 1_048_576)
  })

  test('makes an authority of a node with an authority key (PC-9)', () => {
    const { node, consensus } = parse(
      '[consensus]\nis_authority = true\nauthority_key_file = "keys/authority.key"',
    )
    assert.equal(node.type, 'authority')
    assert.equal(consensus.authorityKeyFile, '/etc/althing/keys/authority.key')
    assert.equal(parse('[consensus]\nauthority_key_file = "a.key"').node.type, 'authority')
  })

  const listens: [string, string[]][] = [
    ['p2p_port = 9100', ['/ip4/0.0.0.0/tcp/9100']],
    ['p2p_port = 9100\np2p_bind_addr = "127.0.0.1"', ['/ip4/127.0.0.1/tcp/9100']],
    ['[network]\nlisten_port = 9100', ['/ip4/0.0.0.0/tcp/9100']],
    ['[network]\nbind_addr = "10.0.0.1:7000"', ['/ip4/10.0.0.1/tcp/7000']],
    ['[network]\nlisten_addr = "::1"\nlisten_port = 7000', ['/ip6/::1/tcp/7000']],
    ['[network]\nlisten_addr = "[::1]:7001"', ['/ip6/::1/tcp/7001']],
    ['[network]\nlisten = ["/ip4/0.0.0.0/tcp/1", "/ip6/::/tcp/2"]', ['/ip4/0.0.0.0/tcp/1', '/ip6/::/tcp/2']],
    [
      '[network]\nlisten = ["/ip4/0.0.0.0/tcp/1/ws", "/ip4/0.0.0.0/udp/2/quic-v1"]',
      ['/ip4/0.0.0.0/tcp/1/ws', '/ip4/0.0.0.0/udp/2/quic-v1'],
    ],
  ]
  for (const [toml, expected] of listens) {
    test(`may say where to listen as ${toml.replaceAll('\n', ' ')}`, () => {
      assert.deepEqual(parse(toml).network.listen, expected)
    })
  }

  test('may use the names of the programs that came before (requirements, section 6)', () => {
    for (const name of ['bootstrap', 'bootstrap_peers', 'seed_peers', 'bootstrap_nodes']) {
      assert.deepEqual(parse(`[network]\n${name} = ["example.org:9000"]`).network.bootstrap, [
        'example.org:9000',
      ])
    }
    const flat = parse(
      'network_id = "mine"\nheartbeat_interval = 5\nbootstrap_peers = ["/ip4/192.0.2.1/tcp/9000"]\nmax_peers = 50',
    )
    assert.equal(flat.network.id, 'mine')
    assert.equal(flat.network.pingIntervalMs, 5000)
    assert.deepEqual([flat.network.maxInbound, flat.network.maxOutbound], [42, 8])
    assert.equal(parse('[message_queue]\nmessage_ttl_seconds = 60').messageQueue.messageTtlMs, 60_000)
    const limited = parse('[network]\nmax_peers = 10\nmax_outbound = 5').network
    assert.deepEqual([limited.maxInbound, limited.maxOutbound], [8, 5])
  })

  test('is overridden by the environment, and that by the command line', () => {
    const toml = '[api]\nport = 1\n[network]\nbootstrap = []'
    const environment = {
      ALTHING_API_PORT: '2',
      ALTHING_NETWORK_BOOTSTRAP: 'a:1, b:2',
      ALTHING_KEY: 'of the command line',
    }
    assert.equal(parse(toml, { environment }).api.port, 2)
    assert.deepEqual(parse(toml, { environment }).network.bootstrap, ['a:1', 'b:2'])
    assert.equal(parse(toml, { environment, flags: { 'api.port': '3' } }).api.port, 3)
    assert.equal(
      parse('', { environment: { ALTHING_NETWORK_PING_INTERVAL: '0.5' } }).network.pingIntervalMs,
      500,
    )
  })

  const refused: [string, string, string][] = [
    [
      'a misspelt key',
      '[network]\nmax_inbund = 3',
      'network.max_inbund: no such key; did you mean network.max_inbound?',
    ],
    [
      'a misspelt section',
      '[netwrok]\nlisten = []',
      'netwrok.listen: no such key; did you mean network.listen?',
    ],
    [
      'a key far from any',
      '[api]\nxyzzy = 3',
      'api.xyzzy: no such key; [api] has host, port, body_limit, token_file',
    ],
    [
      'an unknown section',
      '[zzz]\nqqqqqqqq = 3',
      'zzz.qqqqqqqq: no such key; the sections are node, network, rate_limiting, message_queue, consensus, mempool, api, graph, log',
    ],
    [
      'text for a number',
      '[network]\nmax_inbound = "many"',
      'network.max_inbound: found "many", expected a whole number from 0 to 10000',
    ],
    ['a fraction', '[api]\nport = 1.5', 'api.port: found 1.5, expected a whole number from 0 to 65535'],
    [
      'a number out of range',
      '[api]\nport = 70000',
      'api.port: found 70000, expected a whole number from 0 to 65535',
    ],
    [
      'a negative duration',
      '[mempool]\nttl = -1',
      'mempool.ttl: found -1, expected a duration from 1s to 24h: seconds as a number, or a string such as "500ms" or "30s"',
    ],
    [
      'an unknown unit',
      '[api]\nbody_limit = "1 furlong"',
      'api.body_limit: found "1 furlong", expected a size from 1KiB to 64MiB: bytes as a number, or a string such as "1MiB"',
    ],
    [
      'an unknown choice',
      '[log]\nlevel = "loud"',
      'log.level: found "loud", expected one of "debug", "info", "warn", "error", "silent"',
    ],
    [
      'UDP without QUIC',
      '[network]\nlisten = ["/ip4/0.0.0.0/udp/9000"]',
      'network.listen: found ["/ip4/0.0.0.0/udp/9000"], expected a list of multiaddrs such as "/ip4/0.0.0.0/tcp/9000"',
    ],
    [
      'no DNS name',
      '[network]\ndns_seeds = ["a:1"]',
      'network.dns_seeds: found ["a:1"], expected a list of DNS names such as "seed.example.org"',
    ],
    [
      'no multiaddr',
      '[network]\nlisten = ["9000"]',
      'network.listen: found ["9000"], expected a list of multiaddrs such as "/ip4/0.0.0.0/tcp/9000"',
    ],
    [
      'a bad peer, by the name it was given',
      '[network]\nseed_peers = ["x"]',
      'network.seed_peers: found ["x"], expected a list of addresses such as "/ip4/192.0.2.1/tcp/9000" or "example.org:9000"',
    ],
    ['a bad port', 'p2p_port = "high"', 'p2p_port: found "high", expected a port from 0 to 65535'],
    [
      'a bad address',
      '[network]\nbind_addr = "a:b:c"',
      'network.bind_addr: found "a:b:c", expected an address such as "0.0.0.0" or "0.0.0.0:9000"',
    ],
    ['empty text', '[node]\nname = " "', 'node.name: found " ", expected text of 1 to 64 characters'],
    [
      'a list for text',
      '[node]\nname = ["a"]',
      'node.name: found ["a"], expected text of 1 to 64 characters',
    ],
    [
      'one thing under two names',
      '[network]\nbootstrap = []\nseed_peers = []',
      'network.seed_peers: says the same as network.bootstrap; give one of them',
    ],
    [
      'what the genesis decides',
      '[consensus]\nblock_interval = 10',
      'consensus.block_interval: is the same on all nodes: the genesis file says it, as "intervalMs"; leave it out here',
    ],
    [
      'an authority without a key',
      '[node]\ntype = "authority"',
      'node.type: found "authority", which needs consensus.authority_key_file or consensus.signer; neither is given',
    ],
    [
      'times that contradict',
      '[network]\nping_interval = 200',
      'network.ping_interval: found 200s, expected less than network.peer_timeout (2m)',
    ],
    [
      'too much drift (R8)',
      '[consensus]\nclock_drift = "600ms"',
      'consensus.clock_drift: found 600ms, expected at most half of consensus.timeout (1s)',
    ],
    [
      'a signer that is on another machine',
      '[consensus]\nsigner = "tcp:10.0.0.1:7000"',
      'consensus.signer: found "tcp:10.0.0.1:7000", expected "unix:/path/of/the.sock" or "tcp:127.0.0.1:7000", on this machine',
    ],
    [
      'a signer over TCP without a secret',
      '[consensus]\nsigner = "tcp:127.0.0.1:7000"',
      'consensus.signer_token_file: not found, expected a file: over TCP the signer asks for a secret',
    ],
    [
      'a signer beside a key file',
      '[consensus]\nsigner = "unix:/run/s"\nauthority_key_file = "k"',
      'consensus.signer: found together with consensus.authority_key_file; leave one of them out',
    ],
    [
      'limits that contradict',
      '[mempool]\nmax_transactions = 5',
      'mempool.max_per_sender: found 8192, expected at most mempool.max_transactions (5)',
    ],
  ]
  for (const [name, toml, expected] of refused) {
    test(`is refused for ${name}`, () => assert.deepEqual(problemsOf(toml), [expected]))
  }

  test('is refused with all that is wrong at once', () => {
    const problems = problemsOf('[api]\nport = -1\nhots = "x"', {
      environment: { ALTHING_LOG_LEVEL: 'loud', ALTHING_API_PROT: '1' },
      flags: { 'log.formt': 'json' },
    })
    assert.deepEqual(problems, [
      'api.hots: no such key; did you mean api.host?',
      'ALTHING_API_PROT: no such variable; did you mean ALTHING_API_PORT?',
      'log.formt: no such key; did you mean log.format?',
      'api.port: found -1, expected a whole number from 0 to 65535',
      'ALTHING_LOG_LEVEL: found "loud", expected one of "debug", "info", "warn", "error", "silent"',
    ])
  })

  test('that is not TOML is refused with its line, one that is not there with what to do', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'althing-config-'))
    const file = join(folder, 'config.toml')
    try {
      await assert.rejects(loadConfig({ file }), {
        code: 'CONFIG_UNREADABLE',
        message: /there is no such file; make one with: althing init/,
      })
      await writeFile(file, '[api]\nport = = 3\n')
      await assert.rejects(loadConfig({ file }), { code: 'CONFIG_SYNTAX', message: /line 2, column 8/ })
      await writeFile(file, '[node]\ndata_folder = "chain"\n')
      assert.equal((await loadConfig({ file })).node.dataFolder, join(folder, 'chain'))
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  test('may be YAML, with the same keys and the same refusals (PO-7)', () => {
    const yaml = (text: string): NodeConfig => parse(text, { file: 'config.yaml' })
    assert.deepEqual(yaml('# nothing\n'), parse(''))
    const config = yaml('api:\n  port: 8600\nconsensus: { timeout: 2s }\nnetwork:\n  bootstrap: [a:1, b:2]\n')
    assert.equal(config.api.port, 8_600)
    assert.equal(config.consensus.timeoutMs, 2_000)
    assert.deepEqual(config.network.bootstrap, ['a:1', 'b:2'])
    const seed = yaml('p2p_port: 9100\np2p_bind_addr: 10.0.0.1\nbootstrap_peers: [c:3]\nmax_peers: 20\n')
    assert.deepEqual(seed.network.listen, ['/ip4/10.0.0.1/tcp/9100'])
    assert.deepEqual(seed.network.bootstrap, ['c:3'])

    const problems = (text: string): string[] => problemsOf(text, { file: 'config.yml' })
    assert.deepEqual(problems('api:\n  port: high\n'), [
      'api.port: found "high", expected a whole number from 0 to 65535',
    ])
    assert.match(problems('api:\n  port: 1\n port: [\n')[0]!, /^line 3, column \d+: /)
    assert.match(problems('api:\n  port: 1\n  port: 2\n')[0]!, /^line 3, column 3: .*unique/i)
    assert.match(problems('- api\n')[0]!, /found a list, expected sections with keys/)
    const bomb = ['a: &a [x, x, x, x, x, x]']
    for (let i = 1; i < 9; i++) bomb.push(`b${i}: &b${i} [${`*${i === 1 ? 'a' : `b${i - 1}`}, `.repeat(6)}]`)
    assert.match(problems(bomb.join('\n'))[0]!, /alias/)
  })

  test('fits the block interval of the genesis, or says how it does not', () => {
    checkAgainstGenesis(parse(''), 500, 'config.toml')
    const slow = parse('[consensus]\nretransmit = 3')
    assert.throws(
      () => checkAgainstGenesis(slow, 500, 'config.toml'),
      (error: ConfigError) => {
        assert.equal(error.code, 'CONFIG_INVALID')
        assert.match(error.message, /consensus\.retransmit: found 3s, expected at most 2250ms/)
        return true
      },
    )
  })

  test('sets the limits of the network', () => {
    const limits = networkLimits(
      parse('[network]\nmax_inbound = 3\n[message_queue]\nqueue_size_limit = 1000'),
    )
    assert.equal(limits.maxInbound, 3)
    assert.equal(limits.lanes?.normal.messagesMax, 400)
  })

  test('sets the rates of the network, by the names of PT-2 and PT-1', () => {
    const limits = networkLimits(
      parse(
        '[rate_limiting]\nmax_messages_per_second = 100\nburst_size = 200\nbandwidth_limit_mbps = 10\npriority_multipliers = [8, 4, 2, 0.25]\n[message_queue]\npriority_enforcement = false',
        { environment: { ALTHING_MESSAGE_QUEUE_BANDWIDTH_MONITORING: 'false' } },
      ),
    )
    assert.deepEqual(
      [limits.messagesPerSecond, limits.messagesBurst, limits.bytesPerSecond],
      [100, 200, 1_250_000],
    )
    assert.deepEqual(limits.laneMultipliers, { critical: 8, high: 4, normal: 2, low: 0.25 })
    assert.deepEqual(
      [limits.priorityEnforcement, limits.adaptiveLimits, limits.compression],
      [false, false, true],
    )
  })

  const badRates: [string, string][] = [
    ['priority_multipliers = [4, 2, 1]', 'found [4,2,1]'],
    ['priority_multipliers = [4, 2, 1, 0]', 'found [4,2,1,0]'],
    ['priority_multipliers = 4', 'found 4'],
  ]
  for (const [line, found] of badRates) {
    test(`refuses ${line}`, () => {
      assert.deepEqual(problemsOf(`[rate_limiting]\n${line}`), [
        `rate_limiting.priority_multipliers: ${found}, expected a list of 4 numbers, each above 0 and at most 1000`,
      ])
    })
  }
})

test('docs/configuration.md is what the table of keys says', async () => {
  const file = new URL('../../../docs/configuration.md', import.meta.url)
  const text = configDocument()
  if (process.env['ALTHING_WRITE_DOCS'] === '1') await writeFile(file, text)
  assert.equal(
    await readFile(file, 'utf8'),
    text,
    'run: ALTHING_WRITE_DOCS=1 node --test packages/node/test/config.test.ts',
  )
})
