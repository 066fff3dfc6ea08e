/** Where in a document something was found, in the words of policies: `findingPlaces`. */
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

/** The answers to tools stand within messages; what one of them holds comes from elsewhere than from a person. */
export function placeOf(draft: ExchangeDocument, path: Path): FindingPlace {
  if (path[0] !== 'skilltape') return 'other';
  const place = places.get(path[1]) ?? 'other';
  return place === 'messages' && isInToolResult(draft, path) ? 'tool_result' : place;
}

/** Steps to a block of a message: skilltape, new_messages, message, content, block. */
const stepsToBlock = 5;

function isInToolResult(draft: ExchangeDocument, path: Path): boolean {
  let value: unknown = draft;
  for (const step of path.slice(0, stepsToBlock)) {
    if (!isObject(value)) return false;
    value = value[step];
  }
  return isObject(value) && typeof value.type === 'string' && value.type.endsWith('tool_result');
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
