/**
 * The endpoints that trace things and join what is said of them (PC-6).
 * @module
 */
import type { FastifyInstance } from 'fastify'
import { isIri } from '@althing/base'
import type { EntityJson, SignedStatementJson, TraceJson, TraceThingJson } from '@althing/client'
import { readEntity } from '../trace/entities.ts'
import type { EntityRules } from '../trace/entities.ts'
import type { FoundStatements, SignedBy } from '../trace/found-statements.ts'
import { literalText } from '../trace/relations.ts'
import type { Found } from '../trace/relations.ts'
import { traceSvg } from '../trace/svg.ts'
import type { Thing } from '../trace/trace.ts'
import { traceThing } from '../trace/traces.ts'
import type { ServedTrace } from '../trace/traces.ts'
import { ApiFault, success } from './answer.ts'
import { readChoice, readWhole } from './parameters.ts'

export interface TraceBackend {
  readonly statements: FoundStatements
  readonly entityRules: EntityRules
}

const DEPTH = 32
const DEPTH_MAX = 128
const THINGS_MAX = 2_000

interface TraceQuery {
  readonly direction?: string
  readonly depth?: string
  readonly format?: string
}

export function addTraceRoutes(app: FastifyInstance, { statements, entityRules }: TraceBackend): void {
  app.get<{ Params: { iri: string }; Querystring: TraceQuery }>(
    '/api/v1/trace/:iri',
    async ({ params, query, ip }, reply) => {
      const root = readThing(params.iri)
      const direction = readChoice('direction', query.direction ?? 'back', ['back', 'forth'])
      const format = readChoice('format', query.format ?? 'json', ['json', 'svg'])
      const limits = { depthMax: readDepth(query.depth), thingsMax: THINGS_MAX }
      const trace = traceJson(await traceThing(statements, root, direction, limits, ip))
      if (format === 'json') return success<TraceJson>(trace)
      return reply.type('image/svg+xml').send(traceSvg(trace))
    },
  )

  app.get<{ Params: { iri: string } }>('/api/v1/entities/:iri', async ({ params, ip }) => {
    const iri = readThing(params.iri)
    const entity = await readEntity(statements, iri, entityRules, ip)
    const signed = (found: Found): SignedStatementJson => statementJson(found, entity.signed)
    return success<EntityJson>({
      iri,
      same: entity.iris,
      links: entity.links.map(signed),
      statements: entity.statements.map(signed),
      conflicts: entity.conflicts.map(({ predicate, values }) => ({ predicate, values: values.map(signed) })),
      truncated: entity.isTruncated,
      height: entity.height,
    })
  })
}

function traceJson(trace: ServedTrace): TraceJson {
  const { root, direction, height, things, steps, cut } = trace
  return {
    root,
    direction,
    height,
    things: things.map((thing) => thingJson(thing, trace)),
    steps: steps.map(({ from, to, by, isKnown }) => {
      const { predicate, graph, height: at, time, signer } = statementJson(by, trace.signed)
      return { from, to, predicate, graph, height: at, time, signer, again: isKnown }
    }),
    cut,
  }
}

function thingJson({ iri, depth, label, facts, agents, seen }: Thing, trace: ServedTrace): TraceThingJson {
  return {
    iri,
    depth,
    label,
    what: whatOf(facts),
    agents: agents.map(({ object }) => object),
    seen_by: seen.map(({ subject }) => subject),
    facts: facts.map((fact) => statementJson(fact, trace.signed)),
  }
}

/** In a few words: the business step or the type, and the time. */
function whatOf(facts: readonly Found[]): string | null {
  const ending = (...names: readonly string[]): string | undefined => {
    const fact = facts.find(({ predicate }) => names.some((name) => predicate.endsWith(name)))
    return fact === undefined ? undefined : literalText(fact.object)
  }
  const type = ending('#type')
  const step = ending('bizStep')
  const time = ending('eventTime', 'endedAtTime', 'startedAtTime', 'generatedAtTime')
  const words = [type, step].flatMap((iri) => (iri === undefined ? [] : [iri.split(/[#/:]/).at(-1)!]))
  if (time !== undefined) words.push(time)
  return words.length === 0 ? null : words.join(', ')
}

function statementJson(found: Found, signed: SignedBy): SignedStatementJson {
  const by = signed(found)
  return {
    ...found,
    height: by?.height ?? null,
    time: by === null ? null : new Date(by.timeMs).toISOString(),
    signer: by?.signer ?? null,
  }
}

function readThing(iri: string): string {
  if (isIri(iri)) return iri
  throw new ApiFault('PARAMETER_INVALID', `iri: found "${iri.slice(0, 80)}", expected an absolute IRI`, {
    parameter: 'iri',
  })
}

function readDepth(text: string | undefined): number {
  const depth = text === undefined ? DEPTH : readWhole('depth', text)
  if (depth >= 1 && depth <= DEPTH_MAX) return depth
  throw new ApiFault('PARAMETER_INVALID', `depth: found ${depth}, expected 1 to ${DEPTH_MAX}`, {
    parameter: 'depth',
  })
}
