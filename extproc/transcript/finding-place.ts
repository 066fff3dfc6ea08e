/** Where in a document something was found, in the words of policies. */
import { placeOfBlock } from '../exchange/finding-place.ts';
import type { FindingPlace } from '../masking/finding.ts';
import type { ExchangeDocument } from './document.ts';

type Path = readonly (string | number)[];

const places: ReadonlyMap<string | number | undefined, FindingPlace> = new Map([
  ['system', 'system'],
  ['tools', 'tools'],
  ['new_messages', 'messages'],
  ['answer', 'answer'],
  ['error', 'error'],
  ['file', 'file'],
]);
/** Steps to a block of a message: skilltape, new_messages, message, content, block. */
const stepsToBlock = 5;

export function placeOf(draft: ExchangeDocument, path: Path): FindingPlace {
  if (path[0] !== 'skilltape') return 'other';
  const place = places.get(path[1]) ?? 'other';
  return place === 'messages' ? placeOfBlock(valueAt(draft, path.slice(0, stepsToBlock))) : place;
}

function valueAt(draft: ExchangeDocument, path: Path): unknown {
  let value: unknown = draft;
  for (const step of path) {
    if (typeof value !== 'object' || value === null) return null;
    value = (value as Record<string, unknown>)[step];
  }
  return value;
}
