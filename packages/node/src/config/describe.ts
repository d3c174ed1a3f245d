/**
 * The table of keys, for people.
 * @module
 */
import { aliases, genesisNameByPath } from './aliases.ts'
import { environmentName } from './layers.ts'
import { listenHostPaths, listenPortPaths } from './listen-alias.ts'
import { configKeyEntries, defaultOf } from './schema.ts'
import type { ConfigKey } from './schema.ts'
import { formatDuration, formatSize, rangeOf } from './values.ts'

/** The text of `docs/configuration.md`. */
export function configDocument(): string {
  const sections = [...new Set(configKeyEntries.map(({ section }) => section))]
  return `${[introduction(), ...sections.map(sectionTable), otherNames()].join('\n\n')}\n`
}

function introduction(): string {
  return `# Configuration

A node reads one file (\`althing start --config config.toml\`): TOML, or YAML when its name ends in \`.yaml\` or \`.yml\`, with the same
sections and keys. Every key has a default, so an empty file is a configuration. Over the file goes the environment (\`${environmentName('api.port')}=8600\` for \`api.port\`), and over that the
command line. A key that does not exist, or a value that it cannot have, stops the start, with all that is wrong at once.

- Durations: a number is seconds; a string has its unit: \`"500ms"\`, \`"30s"\`, \`"5m"\`, \`"1h"\`.
- Sizes: a number is bytes; a string has its unit: \`"512KiB"\`, \`"1MiB"\`, \`"1GB"\`.
- Paths are relative to the folder of the file.
- Lists in the environment are separated by commas.`
}

function sectionTable(section: string): string {
  const rows = configKeyEntries
    .filter((entry) => entry.section === section)
    .map(({ name, key }) => `| \`${name}\` | ${typeOf(key)} | ${defaultText(key)} | ${key.doc} |`)
  return `## [${section}]\n\n| key | type | default | meaning |\n|---|---|---|---|\n${rows.join('\n')}`
}

function typeOf(key: ConfigKey): string {
  if (key.kind === 'choice') return key.choices.map((choice) => `\`"${choice}"\``).join(', ')
  return `${{ integer: 'whole number', duration: 'duration', size: 'size', text: 'text', path: 'path', addresses: 'list of addresses', boolean: '`true`, `false`', numbers: 'list of numbers', iris: 'list of IRIs' }[key.kind]} ${rangeOf(key)}`.trimEnd()
}

function defaultText(key: ConfigKey): string {
  const value = defaultOf(key)
  if (value === null) return 'none'
  if (key.kind === 'duration') return `\`${formatDuration(key.defaultMs)}\``
  if (key.kind === 'size') return `\`${formatSize(key.defaultBytes)}\``
  return `\`${JSON.stringify(value)}\``
}

function otherNames(): string {
  const renamed = aliases.map((alias) => {
    const names = alias.translate(undefined).map(([to]) => `\`${to}\``)
    return `| \`${alias.path}\` | ${names.join(', ')} |`
  })
  const listen = [...listenPortPaths, ...listenHostPaths].map(
    (path) => `| \`${path}\` | \`network.listen\` |`,
  )
  const genesis = [...genesisNameByPath].map(([path, name]) => `| \`${path}\` | \`${name}\` |`)
  return `## Other names

These are accepted in the file, so that files of older programs work; a key given under two names is an error.
\`max_peers\` gives a fifth, at most 8, to \`network.max_outbound\` and the rest to \`network.max_inbound\`, where those are
not given. A port and an address together make one \`network.listen\`.

| name | means |
|---|---|
${[...renamed, ...listen].join('\n')}

What is the same on all nodes is in the genesis file, and is refused here:

| name | in the genesis file |
|---|---|
${genesis.join('\n')}`
}
