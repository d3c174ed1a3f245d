/**
 * IRIs for blank nodes (RDF 1.1, section 3.5), from what is said of them and from nothing else.
 * A knot is the statements that are connected by blank nodes. Its canonical form (RDFC-1.0) does not depend on labels
 * and order; its digest, and the canonical label within it, name the node. So the same text loaded again, by anyone,
 * names the same nodes, and loading can be resumed. Knots that are equal in all of their statements are told apart by
 * how many of them there are: one copy is as good as the other.
 * @module
 */
import { bytesToHex, readQuad, sha256, statementText, utf8ToBytes } from '@althing/base'
import { canonicalDataset, STEPS_MAX } from './canonical.ts'
import { RdfError } from './error.ts'
import type { GraphStatement, StatementGroup } from './read.ts'
import { isBlank, joinStatement, splitStatement } from './statement.ts'
import type { Statement } from './statement.ts'

export const SKOLEM_PREFIX = 'urn:althing:bnode:'

export async function nameBlankNodes(
  statements: readonly Statement[],
  { stepsMax = STEPS_MAX, signal }: { readonly stepsMax?: number; readonly signal?: AbortSignal },
): Promise<{ readonly groups: readonly StatementGroup[]; readonly blankNodes: number }> {
  const { ground, knots } = untie(statements)
  const groups: StatementGroup[] = ground.map((statement) => [toGraphStatement(statement)])
  const copiesByDigest = new Map<string, number>()
  let blankNodes = 0
  for (const knot of knots) {
    const canonical = await canonicalKnot(knot, stepsMax, signal)
    const digest = bytesToHex(sha256(utf8ToBytes(canonical)))
    const copy = copiesByDigest.get(digest) ?? 0
    copiesByDigest.set(digest, copy + 1)
    const prefix = `<${SKOLEM_PREFIX}${digest}${copy === 0 ? '' : `.${copy}`}:`
    const names = new Set<string>()
    const name = (term: string): string => {
      if (!isBlank(term)) return term
      names.add(term)
      return `${prefix}${term.slice('_:c14n'.length)}>`
    }
    const lines = canonical.split('\n').filter((line) => line !== '')
    groups.push(
      lines
        .map((line) => {
          const { subject, predicate, object, graph } = splitStatement(line)
          return toGraphStatement({
            subject: name(subject),
            predicate,
            object: name(object),
            graph: name(graph),
          })
        })
        .sort(inOrder),
    )
    blankNodes += names.size
  }
  return { groups: groups.sort((a, b) => inOrder(a[0]!, b[0]!)), blankNodes }
}

/** @throws {RdfError} `RDF_INVALID`. */
function toGraphStatement(statement: Statement): GraphStatement {
  const line = joinStatement(statement)
  const quad = readQuad(line)
  if (!quad.ok) throw new RdfError('RDF_INVALID', `${quad.fault.message}, in ${line}`)
  return { graph: statement.graph.slice(1, -1), statement: statementText(quad.value) }
}

function inOrder(a: GraphStatement, b: GraphStatement): number {
  if (a.graph !== b.graph) return a.graph < b.graph ? -1 : 1
  return a.statement < b.statement ? -1 : Number(a.statement > b.statement)
}

async function canonicalKnot(
  knot: readonly Statement[],
  stepsMax: number,
  signal: AbortSignal | undefined,
): Promise<string> {
  try {
    return await canonicalDataset(`${knot.map(joinStatement).join('\n')}\n`, {
      stepsMax,
      ...(signal !== undefined && { signal }),
    })
  } catch (error) {
    const message = `${knot.length} statements about blank nodes that are too much alike to be named in ${stepsMax} steps; give some of them IRIs`
    throw new RdfError('RDF_TOO_COMPLEX', message, { cause: error })
  }
}

/** Statements without blank nodes, and the others by what they are connected by. */
function untie(statements: readonly Statement[]): {
  readonly ground: readonly Statement[]
  readonly knots: readonly (readonly Statement[])[]
} {
  const parentOf = new Map<string, string>()
  const rootOf = (label: string): string => {
    let root = label
    for (let parent = parentOf.get(root); parent !== undefined; parent = parentOf.get(root)) root = parent
    for (let at = label; at !== root;) {
      const next = parentOf.get(at)!
      parentOf.set(at, root)
      at = next
    }
    return root
  }
  const ground: Statement[] = []
  const tied: Statement[] = []
  for (const statement of statements) {
    const [first, ...others] = blankNodesOf(statement)
    if (first === undefined) {
      ground.push(statement)
      continue
    }
    tied.push(statement)
    for (const other of others) {
      const [a, b] = [rootOf(first), rootOf(other)]
      if (a !== b) parentOf.set(a, b)
    }
  }
  const knots = new Map<string, Statement[]>()
  for (const statement of tied) {
    const root = rootOf(blankNodesOf(statement)[0]!)
    const knot = knots.get(root)
    if (knot === undefined) knots.set(root, [statement])
    else knot.push(statement)
  }
  return { ground, knots: [...knots.values()] }
}

function blankNodesOf({ subject, object, graph }: Statement): readonly string[] {
  return [subject, object, graph].filter(isBlank)
}
