/**
 * Every dependency is of one exact version, has a line in `docs/dependencies.md`, and is locked for every
 * platform.
 * @module
 */
import { type CodeBase, type Finding, lineAt } from './code-base.ts'

const docPath = 'docs/dependencies.md'
const docRow = /^\| `([^`]+)` \|/gm
const exactVersion = /^\d+\.\d+\.\d+(-[\w.-]+)?$/
const kinds = [
  'dependencies',
  'devDependencies',
  'optionalDependencies',
  'peerDependencies',
  'overrides',
] as const

type Versions = Readonly<Record<string, string>>
type Manifest = Readonly<Partial<Record<(typeof kinds)[number], Versions>>> & { readonly name: string }

export function dependencyFindings(codeBase: CodeBase): Finding[] {
  const manifests = [...codeBase].filter(([path]) => /(^|\/)package\.json$/.test(path))
  const ours = new Set(manifests.map(([, text]) => (JSON.parse(text) as Manifest).name))
  const dependencies = manifests.flatMap(([path, text]) => dependenciesIn(path, text))
  const doc = codeBase.get(docPath) ?? ''
  const rows = [...doc.matchAll(docRow)].map((row) => ({ name: row[1] ?? '', line: lineAt(doc, row.index) }))
  const documented = new Set(rows.map((row) => row.name))
  const used = new Set(dependencies.map((dependency) => dependency.name))
  return [
    ...dependencies
      .filter(({ version }) => !exactVersion.test(version))
      .map(({ path, line, name, version }) => ({
        path,
        line,
        message: `${name} ${version} is not an exact version`,
      })),
    ...dependencies
      .filter(({ name }) => !ours.has(name) && !documented.has(name))
      .map(({ path, line, name }) => ({ path, line, message: `${name} is not in ${docPath}` })),
    ...rows
      .filter(({ name }) => !used.has(name))
      .map(({ name, line }) => ({ path: docPath, line, message: `no package depends on ${name}` })),
    ...unlocked(codeBase.get('package-lock.json')),
  ]
}

interface Dependency {
  readonly path: string
  readonly line: number
  readonly name: string
  readonly version: string
}

function dependenciesIn(path: string, text: string): Dependency[] {
  const manifest = JSON.parse(text) as Manifest
  return kinds.flatMap((kind) =>
    Object.entries(manifest[kind] ?? {}).map(([name, version]) => {
      return { path, line: lineAt(text, text.indexOf(`"${name}"`)), name, version }
    }),
  )
}

type LockedPackage = Pick<Manifest, 'dependencies' | 'optionalDependencies'>

/**
 * Packages of another platform that the lockfile misses: `npm ci` fails there, or leaves a program without its
 * binary (npm drops them from a lockfile that it writes beside an existing node_modules).
 */
function unlocked(lockfile: string | undefined): Finding[] {
  if (lockfile === undefined) return []
  const { packages } = JSON.parse(lockfile) as { packages: Readonly<Record<string, LockedPackage>> }
  return Object.entries(packages).flatMap(([path, { dependencies, optionalDependencies }]) =>
    Object.keys({ ...dependencies, ...optionalDependencies })
      .filter((name) => !foldersAbove(path).some((folder) => `${folder}node_modules/${name}` in packages))
      .map((name) => ({
        path: 'package-lock.json',
        line: 1,
        message: `${name}, which ${path} needs, is not locked`,
      })),
  )
}

/** Where Node looks for the packages that `path` imports: in itself, then in each folder that holds it. */
function foldersAbove(path: string): string[] {
  if (path === '') return ['']
  const end = path.lastIndexOf('node_modules/')
  return [`${path}/`, ...foldersAbove(end > 0 ? path.slice(0, end - 1) : '')]
}
