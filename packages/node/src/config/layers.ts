/**
 * Where values come from: the file, over it the environment, over that the command line. Each layer is brought to our
 * names; what cannot be is a problem.
 * @module
 */
import { aliases, aliasByPath, genesisNameByPath } from './aliases.ts'
import type { ConfigProblem } from './errors.ts'
import {
  hostExpectation,
  listenHostPaths,
  listenMultiaddr,
  listenPortPaths,
  portExpectation,
  readHost,
  readPort,
} from './listen-alias.ts'
import { nearestName } from './nearest.ts'
import { configKeyByPath, configKeyEntries, configKeys } from './schema.ts'
import { fromText } from './values.ts'

export interface Given {
  readonly value: unknown
  /** The name under which a person finds it. */
  readonly writtenAs: string
}

/** By our paths. */
export type Layer = ReadonlyMap<string, Given>

const knownPaths: readonly string[] = [
  ...configKeyByPath.keys(),
  ...aliases.map((alias) => alias.path),
  ...listenPortPaths,
  ...listenHostPaths,
]

/** @param table what the TOML file says. */
export function fileLayer(table: Readonly<Record<string, unknown>>, problems: ConfigProblem[]): Layer {
  const layer = new Map<string, Given>()
  const translated: [path: string, given: Given][] = []
  const listen = new ListenAlias(problems)
  for (const [path, value] of flatten(table)) {
    const given: Given = { value, writtenAs: path }
    if (configKeyByPath.has(path)) layer.set(path, given)
    else if (aliasByPath.has(path)) {
      for (const [to, meant] of aliasByPath.get(path)!.translate(value)) {
        translated.push([to, { value: meant, writtenAs: path }])
      }
    } else if (!listen.take(given)) problems.push(unknownKey(path))
  }
  translated.push(...listen.result())
  for (const [path, given] of translated) addTranslated(layer, path, given, problems)
  return layer
}

/** `max_peers` only fills what is not said otherwise; any two other names for one key contradict each other. */
function addTranslated(
  layer: Map<string, Given>,
  path: string,
  given: Given,
  problems: ConfigProblem[],
): void {
  const other = layer.get(path)
  if (other === undefined) layer.set(path, given)
  else if (!given.writtenAs.endsWith('max_peers')) {
    problems.push({ path: given.writtenAs, message: `says the same as ${other.writtenAs}; give one of them` })
  }
}

/** Sections one deep; a table where there is no section shows as the keys in it. */
function* flatten(
  table: Readonly<Record<string, unknown>>,
  prefix = '',
): Iterable<[path: string, value: unknown]> {
  for (const [name, value] of Object.entries(table)) {
    if (isTable(value)) yield* flatten(value, `${prefix}${name}.`)
    else yield [prefix + name, value]
  }
}

/** Neither a list nor one of the dates that TOML has. */
function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype
}

function unknownKey(path: string): ConfigProblem {
  const genesisName = genesisNameByPath.get(path)
  if (genesisName !== undefined) {
    return {
      path,
      message: `is the same on all nodes: the genesis file says it, as "${genesisName}"; leave it out here`,
    }
  }
  const nearest = nearestName(path, knownPaths)
  const section = path.split('.')[0]!
  const hint =
    nearest !== undefined
      ? `; did you mean ${nearest}?`
      : section in configKeys
        ? `; [${section}] has ${Object.keys(configKeys[section as keyof typeof configKeys]).join(', ')}`
        : `; the sections are ${Object.keys(configKeys).join(', ')}`
  return { path, message: `no such key${hint}` }
}

/** Gathers the keys that together say `network.listen`. */
class ListenAlias {
  readonly #problems: ConfigProblem[]
  #host: string | undefined
  #port: number | undefined
  #writtenAs = ''

  constructor(problems: ConfigProblem[]) {
    this.#problems = problems
  }

  /** @returns false when the key is not one of them. */
  take({ value, writtenAs }: Given): boolean {
    if (listenPortPaths.has(writtenAs)) {
      this.#port = readPort(value) ?? this.#refuse(writtenAs, value, portExpectation)
    } else if (listenHostPaths.has(writtenAs)) {
      const address = readHost(value)
      if (address === null) this.#refuse(writtenAs, value, hostExpectation)
      this.#host = address?.host
      this.#port ??= address?.port ?? undefined
    } else {
      return false
    }
    this.#writtenAs ||= writtenAs
    return true
  }

  result(): [path: string, given: Given][] {
    if (this.#writtenAs === '') return []
    const value = [listenMultiaddr(this.#host, this.#port)]
    return [['network.listen', { value, writtenAs: this.#writtenAs }]]
  }

  #refuse(path: string, value: unknown, expectation: string): undefined {
    this.#problems.push({ path, message: `found ${shown(value)}, expected ${expectation}` })
  }
}

const ENVIRONMENT_PREFIX = 'ALTHING_'

/** `api.port` is `ALTHING_API_PORT`. */
export function environmentName(path: string): string {
  return ENVIRONMENT_PREFIX + path.replace('.', '_').toUpperCase()
}

const pathByEnvironmentName = new Map(configKeyEntries.map(({ path }) => [environmentName(path), path]))
const environmentSections = Object.keys(configKeys).map((section) => environmentName(`${section}.`))

export function environmentLayer(
  environment: Readonly<Record<string, string | undefined>>,
  problems: ConfigProblem[],
): Layer {
  const layer = new Map<string, Given>()
  for (const [name, text] of Object.entries(environment)) {
    const path = pathByEnvironmentName.get(name)
    if (path !== undefined && text !== undefined) layer.set(path, givenByText(path, text, name))
    else if (environmentSections.some((section) => name.startsWith(section))) {
      const nearest = nearestName(name, pathByEnvironmentName.keys())
      const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`
      problems.push({ path: name, message: `no such variable${hint}` })
    }
  }
  return layer
}

/** @param flags text by path, as the command line gave it. */
export function flagLayer(flags: Readonly<Record<string, string>>, problems: ConfigProblem[]): Layer {
  const layer = new Map<string, Given>()
  for (const [path, text] of Object.entries(flags)) {
    if (configKeyByPath.has(path)) layer.set(path, givenByText(path, text, path))
    else problems.push(unknownKey(path))
  }
  return layer
}

function givenByText(path: string, text: string, writtenAs: string): Given {
  return { value: fromText(configKeyByPath.get(path)!.key, text), writtenAs }
}

const SHOWN_CHARACTERS_MAX = 80

/** A value as a person wrote it, about. */
export function shown(value: unknown): string {
  const text = typeof value === 'number' ? String(value) : JSON.stringify(value)
  return text.length > SHOWN_CHARACTERS_MAX ? `${text.slice(0, SHOWN_CHARACTERS_MAX)}…` : text
}
