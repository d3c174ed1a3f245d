/**
 * The graph: named graphs with owners, and their statements. Pure.
 * G1  default deny: under policy `members` only members change anything; under `open` any account may
 * G2  whoever makes a graph owns it; the owner, and accounts with its grant, insert and delete statements
 * G3  a statement is in a graph or not: inserting it again, or deleting what is not there, changes nothing
 * G4  a graph's count is the number of its statements
 * G5  of a graph with shapes, no transaction leaves a node that it could touch violating one of them
 * There is no default graph: every statement is in a graph that somebody owns.
 * @module
 */
import {
  accountKey,
  assert,
  bytesToHex,
  decodeGraphOperation,
  decodeGraphRecord,
  decodeGraphRules,
  equalBytes,
  GRAPH_RULES_VERSION,
  GraphGrant,
  graphGrantKey,
  graphId,
  graphKey,
  GraphRecord,
  graphRulesKey,
  isZeroHash,
  MODULE_GRAPH,
  StatementEntry,
  statementKey,
  statementObjectKey,
  statementText,
  utf8ToBytes,
  ZERO_HASH,
} from '@althing/base'
import type { Fault, GraphOperation, Result, Statement } from '@althing/base'
import type { Module, OperationContext } from '../module.ts'
import { checkAccountId } from '../modules/accounts.ts'
import { cannotWrite } from '../modules/policy.ts'
import type { StateReader } from '../pending.ts'
import { gateFault, GateSteps } from './gate.ts'
import { readGate, writeGate } from './kept-shapes.ts'
import { readShapes } from './shapes.ts'
import { isGraphNamed } from './view.ts'

/** A graph that is in the state. */
interface Graph {
  readonly id: Uint8Array
  readonly name: string
  readonly record: GraphRecord
}

export const graphModule: Module<GraphOperation> = {
  id: MODULE_GRAPH,
  name: 'graph',
  decode,

  apply(operation, context) {
    const denied = noGraphs(context.state) ?? cannotWrite(context)
    if (denied !== null) return denied
    const id = graphId(operation.graph)
    const record = readGraph(context.state, id)
    if (operation.kind === 'create') return create(operation, id, record, context)
    if (record === null || !isGraphNamed(record, operation.graph)) {
      return { code: 'GRAPH_UNKNOWN', message: `there is no graph <${operation.graph}>; make it first` }
    }
    const graph = { id, name: operation.graph, record }
    switch (operation.kind) {
      case 'insert':
        return cannotChange(graph, context) ?? insert(graph, operation.statements, context)
      case 'delete':
        return cannotChange(graph, context) ?? remove(graph, operation.statements, context)
      case 'grant':
        return notOwner(graph, context) ?? grant(graph, operation.account, context)
      case 'revoke':
        return notOwner(graph, context) ?? revoke(graph, operation.account, context)
    }
  },

  settle(operations, { state }) {
    const changedByGraph = new Map<string, Statement[]>()
    for (const operation of operations) {
      if (operation.kind !== 'insert' && operation.kind !== 'delete') continue
      const changed = changedByGraph.get(operation.graph)
      if (changed === undefined) changedByGraph.set(operation.graph, [...operation.statements])
      else changed.push(...operation.statements)
    }
    const steps = new GateSteps()
    for (const [name, changed] of changedByGraph) {
      const id = graphId(name)
      const shapes = readGate(state, id, readGraph(state, id)?.shapes ?? ZERO_HASH)
      const fault = shapes === null ? null : gateFault(state, id, shapes, changed, steps)
      if (fault !== null) return { ...fault, message: `graph <${name}>: ${fault.message}` }
    }
    return null
  },
}

/**
 * Bodies that were read, as long as they are kept: a transaction is read when it is admitted, when a block is built
 * and when one is executed, and reading is most of the work.
 */
const readByBody = new WeakMap<Uint8Array, Result<GraphOperation>>()

function decode(body: Uint8Array): Result<GraphOperation> {
  let read = readByBody.get(body)
  if (read === undefined) {
    read = checkShapes(decodeGraphOperation(body))
    readByBody.set(body, read)
  }
  return read
}

function checkShapes(read: Result<GraphOperation>): Result<GraphOperation> {
  if (!read.ok || read.value.kind !== 'create' || read.value.shapes.length === 0) return read
  const shapes = readShapes(read.value.shapes)
  return shapes.ok ? read : shapes
}

function noGraphs(state: StateReader): Fault | null {
  const bytes = state.get(graphRulesKey)
  if (bytes !== null) {
    const rules = decodeGraphRules(bytes)
    const isKnown = rules.ok && rules.value.version === GRAPH_RULES_VERSION
    assert(isKnown, `this release knows the graph's rules of version ${GRAPH_RULES_VERSION} only`)
    return null
  }
  return { code: 'GRAPH_UNAVAILABLE', message: 'the genesis of this chain names no rules for graphs' }
}

function create(
  { graph: name, shapes }: Extract<GraphOperation, { kind: 'create' }>,
  id: Uint8Array,
  existing: GraphRecord | null,
  { sender, state, height }: OperationContext,
): Fault | null {
  if (existing !== null) {
    const message = `the graph <${name}> belongs to ${bytesToHex(existing.owner)} since height ${existing.height}`
    return { code: 'GRAPH_EXISTS', message }
  }
  const shapesHash = shapes.length === 0 ? ZERO_HASH : writeGate(state, id, shapes)
  writeGraph(state, id, { owner: sender, height, statements: 0, shapes: shapesHash, name: utf8ToBytes(name) })
  return null
}

function insert(graph: Graph, statements: readonly Statement[], context: OperationContext): Fault | null {
  const { sender, state, height, graphChanges } = context
  const isGated = !isZeroHash(graph.record.shapes)
  let inserted = 0
  for (const statement of statements) {
    const text = utf8ToBytes(statementText(statement))
    const key = statementKey(graph.id, statement, text)
    if (state.get(key) !== null) continue
    state.put(key, StatementEntry.serialize({ height, sender, text }))
    if (isGated) state.put(statementObjectKey(graph.id, statement), utf8ToBytes(statement.subject))
    graphChanges.push({ kind: 'inserted', graph: graph.name, statement, sender })
    inserted++
  }
  count(graph, inserted, context)
  return null
}

function remove(graph: Graph, statements: readonly Statement[], context: OperationContext): Fault | null {
  const { sender, state, graphChanges } = context
  const isGated = !isZeroHash(graph.record.shapes)
  let deleted = 0
  for (const statement of statements) {
    const key = statementKey(graph.id, statement)
    if (state.get(key) === null) continue
    state.delete(key)
    if (isGated) state.delete(statementObjectKey(graph.id, statement))
    graphChanges.push({ kind: 'deleted', graph: graph.name, statement, sender })
    deleted++
  }
  count(graph, -deleted, context)
  return null
}

function count({ id, record }: Graph, more: number, { state }: OperationContext): void {
  if (more !== 0) writeGraph(state, id, { ...record, statements: record.statements + more })
}

function grant({ id, name, record }: Graph, account: Uint8Array, context: OperationContext): Fault | null {
  const { state, height } = context
  const key = graphGrantKey(id, account)
  if (equalBytes(account, record.owner) || state.get(key) !== null) {
    const message = `account ${bytesToHex(account)} may write to the graph <${name}> already`
    return { code: 'GRANT_EXISTS', message }
  }
  if (state.get(accountKey(account)) === null) {
    const enters = checkAccountId(account)
    if (!enters.ok) return enters.fault
  }
  state.put(key, GraphGrant.serialize({ since: height }))
  return null
}

function revoke({ id, name }: Graph, account: Uint8Array, { state }: OperationContext): Fault | null {
  const key = graphGrantKey(id, account)
  if (state.get(key) === null) {
    const message = `account ${bytesToHex(account)} has no grant for the graph <${name}>`
    return { code: 'GRANT_UNKNOWN', message }
  }
  state.delete(key)
  return null
}

function notOwner({ name, record }: Graph, { sender }: OperationContext): Fault | null {
  if (equalBytes(record.owner, sender)) return null
  const message = `the graph <${name}> belongs to ${bytesToHex(record.owner)}; the sender is ${bytesToHex(sender)}`
  return { code: 'NOT_OWNER', message }
}

function cannotChange(graph: Graph, context: OperationContext): Fault | null {
  const { sender, state } = context
  const fault = notOwner(graph, context)
  if (fault === null || state.get(graphGrantKey(graph.id, sender)) !== null) return null
  return { ...fault, message: `${fault.message}, who has no grant` }
}

function readGraph(state: StateReader, id: Uint8Array): GraphRecord | null {
  const bytes = state.get(graphKey(id))
  if (bytes === null) return null
  const record = decodeGraphRecord(bytes)
  assert(record.ok, `the state holds a malformed record of graph ${bytesToHex(id)}`)
  return record.value
}

function writeGraph(state: OperationContext['state'], id: Uint8Array, record: GraphRecord): void {
  state.put(graphKey(id), GraphRecord.serialize(record))
}
