/**
 * The formats that RDF comes in, by media type and by file name.
 * @module
 */
import { RdfError } from './error.ts'

/** A media type that the reader knows. */
export type RdfFormat =
  | 'application/n-quads'
  | 'application/n-triples'
  | 'application/trig'
  | 'text/turtle'
  | 'application/ld+json'

const EXTENSIONS: ReadonlyMap<string, RdfFormat> = new Map([
  ['nq', 'application/n-quads'],
  ['nt', 'application/n-triples'],
  ['trig', 'application/trig'],
  ['ttl', 'text/turtle'],
  ['jsonld', 'application/ld+json'],
])
const MEDIA_TYPES: ReadonlySet<string> = new Set(EXTENSIONS.values())
const KNOWN = [...EXTENSIONS].map(([extension, format]) => `.${extension} (${format})`).join(', ')

/** @param mediaType parameters such as `charset` are left aside. @throws {RdfError} `RDF_FORMAT_UNKNOWN` */
export function formatOfMediaType(mediaType: string): RdfFormat {
  const bare = mediaType.split(';')[0]!.trim().toLowerCase()
  if (isFormat(bare)) return bare
  throw new RdfError('RDF_FORMAT_UNKNOWN', `media type "${bare}"; known: ${[...MEDIA_TYPES].join(', ')}`)
}

/** @throws {RdfError} `RDF_FORMAT_UNKNOWN` */
export function formatOfFile(name: string): RdfFormat {
  const format = EXTENSIONS.get(name.split('.').at(-1)!.toLowerCase())
  if (format !== undefined) return format
  throw new RdfError('RDF_FORMAT_UNKNOWN', `the ending of "${name}" says no RDF format; known: ${KNOWN}`)
}

function isFormat(mediaType: string): mediaType is RdfFormat {
  return MEDIA_TYPES.has(mediaType)
}
