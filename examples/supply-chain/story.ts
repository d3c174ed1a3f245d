/**
 * A year of bread, from farm to shelf: what four organisations write down, as GS1 EPCIS events in Turtle. Made up, and the
 * same each time.
 * @module
 */

export interface Organisation {
  readonly name: string
  /** IRI of its graph. */
  readonly graph: string
  /** Its events, as Turtle. */
  readonly turtle: string
  readonly events: number
}

const BASE = 'https://example.org/bread'
const HARVESTS = 200
const MILLINGS = 200
const BAKINGS = 500
const PALLETS = 500
const RECEIPTS = 600
const STORES = 24
const LOAVES_ON_PALLET = 1

export const EVENTS = HARVESTS + MILLINGS + BAKINGS + PALLETS + RECEIPTS

/** The harvest that turns out to be bad. */
export const BAD_HARVEST = `${BASE}/lot/wheat-17`

const PREFIXES = `@prefix epcis: <https://ref.gs1.org/epcis/> .
@prefix cbv: <https://ref.gs1.org/cbv/> .
@prefix gs1: <https://ref.gs1.org/voc/> .
@prefix schema: <http://schema.org/> .
@prefix prov: <http://www.w3.org/ns/prov#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
@prefix lot: <${BASE}/lot/> .
@prefix event: <${BASE}/event/> .
@prefix place: <${BASE}/place/> .
`

export function organisations(): Organisation[] {
  return [farm(), mill(), bakery(), retailer()]
}

function farm(): Organisation {
  const events = Array.from(
    { length: HARVESTS },
    (
      _,
      i,
    ) => `event:harvest-${i} a epcis:ObjectEvent ; epcis:action "ADD" ; epcis:bizStep cbv:BizStep-commissioning ;
  epcis:eventTime ${time(i, HARVESTS, 0)} ; epcis:bizLocation place:field-${i % 12} ; epcis:epcList lot:wheat-${i} ;
  prov:wasAssociatedWith place:farm .
lot:wheat-${i} a gs1:TradeItem ; schema:name "Wheat, lot ${i}" ; prov:wasGeneratedBy event:harvest-${i} .`,
  )
  return organisation('farm', events)
}

/** Each milling takes three harvests, or two: neighbours, so that a bad one spreads. */
function mill(): Organisation {
  const events = Array.from({ length: MILLINGS }, (_, i) => {
    const inputs = [i, (i + 1) % HARVESTS, ...(i % 3 === 0 ? [(i + 7) % HARVESTS] : [])]
    return `event:milling-${i} a epcis:TransformationEvent ; epcis:bizStep cbv:BizStep-commissioning ;
  epcis:eventTime ${time(i, MILLINGS, 20)} ; epcis:bizLocation place:mill ; prov:wasAssociatedWith place:mill ;
  epcis:inputEPCList ${inputs.map((lot) => `lot:wheat-${lot}`).join(', ')} ; epcis:outputEPCList lot:flour-${i} .
lot:flour-${i} a gs1:TradeItem ; schema:name "Flour, lot ${i}" .`
  })
  return organisation('mill', events)
}

function bakery(): Organisation {
  const bakings = Array.from(
    { length: BAKINGS },
    (_, i) => `event:baking-${i} a epcis:TransformationEvent ; epcis:bizStep cbv:BizStep-commissioning ;
  epcis:eventTime ${time(i, BAKINGS, 40)} ; epcis:bizLocation place:oven-${i % 5} ; prov:wasAssociatedWith place:bakery ;
  epcis:inputEPCList lot:flour-${Math.floor((i * MILLINGS) / BAKINGS)} ; epcis:outputEPCList lot:bread-${i} .
lot:bread-${i} a gs1:TradeItem ; schema:name "Bread, batch ${i}" .`,
  )
  const packings = Array.from({ length: PALLETS }, (_, i) => {
    const loaves = Array.from(
      { length: LOAVES_ON_PALLET + (i % 2) },
      (_, n) => `lot:bread-${(i + n) % BAKINGS}`,
    )
    return `event:packing-${i} a epcis:AggregationEvent ; epcis:action "ADD" ; epcis:bizStep cbv:BizStep-packing ;
  epcis:eventTime ${time(i, PALLETS, 41)} ; epcis:bizLocation place:bakery ; prov:wasAssociatedWith place:bakery ;
  epcis:parentID lot:pallet-${i} ; epcis:childEPCs ${loaves.join(', ')} .`
  })
  return organisation('bakery', [...bakings, ...packings])
}

/** Every pallet comes in somewhere; a few go on to another store. */
function retailer(): Organisation {
  const events = Array.from(
    { length: RECEIPTS },
    (
      _,
      i,
    ) => `event:receiving-${i} a epcis:ObjectEvent ; epcis:action "OBSERVE" ; epcis:bizStep cbv:BizStep-receiving ;
  epcis:eventTime ${time(i, RECEIPTS, 43)} ; epcis:bizLocation place:store-${(i * 7) % STORES} ;
  prov:wasAssociatedWith place:retailer ; epcis:epcList lot:pallet-${i % PALLETS} .`,
  )
  return organisation('retailer', events)
}

function organisation(name: string, events: readonly string[]): Organisation {
  const count = events.reduce((sum, text) => sum + (text.match(/a epcis:\w+Event/g)?.length ?? 0), 0)
  const label = `place:${name} a schema:Organization ; schema:name "The ${name}" .`
  return { name, graph: `${BASE}/${name}`, turtle: [PREFIXES, label, ...events].join('\n'), events: count }
}

/** Spread over a season that starts on a day of the year 2026. */
function time(index: number, of: number, startDay: number): string {
  const minutes = (startDay + (index * 180) / of) * 1_440
  const at = new Date(Date.UTC(2026, 5, 1) + Math.round(minutes) * 60_000)
  return `"${at.toISOString().replace('.000', '')}"^^xsd:dateTime`
}

/** In which stores is bread of a harvest, on which pallets, and since when? Steps of four organisations in one question. */
export function recallQuery(harvest: string): string {
  return `PREFIX epcis: <https://ref.gs1.org/epcis/>
PREFIX cbv: <https://ref.gs1.org/cbv/>
SELECT ?store ?pallet (MIN(?time) AS ?since) {
  <${harvest}> ((^epcis:inputEPCList/epcis:outputEPCList)|(^epcis:childEPCs/epcis:parentID))+ ?pallet .
  ?receiving epcis:epcList ?pallet ; epcis:bizStep cbv:BizStep-receiving ;
    epcis:bizLocation ?store ; epcis:eventTime ?time .
} GROUP BY ?store ?pallet ORDER BY ?store ?pallet`
}
