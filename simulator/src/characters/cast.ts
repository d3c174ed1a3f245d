/**
 * Which character a machine is given. One that follows the rules with a bad disk, and twins, need none.
 * @module
 */
import type { CharacterName } from '../plan.ts'
import type { Character, CharacterTools } from './character.ts'
import { Equivocator } from './equivocator.ts'
import { Laggard, Mute, Nuller, SelectiveSender, Withholder } from './hiding.ts'
import { LiarAboutHeights, Replayer } from './lying.ts'
import { Malleator } from './malleator.ts'

const CAST: { readonly [name in CharacterName]?: new (tools: CharacterTools) => Character } = {
  equivocator: Equivocator,
  malleator: Malleator,
  mute: Mute,
  withholder: Withholder,
  selectiveSender: SelectiveSender,
  nuller: Nuller,
  laggard: Laggard,
  liarAboutHeights: LiarAboutHeights,
  replayer: Replayer,
}

export function castCharacter(name: CharacterName, tools: CharacterTools): Character | null {
  const character = CAST[name]
  return character === undefined ? null : new character(tools)
}
