/** Names that have no shape: a model finds them, and what it names is masked wherever it stands in the exchange. */
import type { FindingType } from '../masking/finding.ts';
import { lexJson } from '../masking/json-lexer.ts';
import type { JsonValue } from '../masking/json-value.ts';
import { nameListDetector } from '../masking/name-list.ts';
import { type OwnDetection, withDetector } from '../masking/own-detection.ts';
import { mayBeJson, nestingMax } from '../masking/string-masking.ts';
import { isOurs } from '../transcript/our-fields.ts';

/** Types that a model may give. */
export const nameTypes = ['NAME', 'ADDRESS', 'CUSTOMER', 'PROJECT'] as const satisfies readonly FindingType[];

/** A value as it stands in a text that was asked about. */
export type FoundName = { value: string; type: (typeof nameTypes)[number] };

/** Finds names in texts. Rejects where it cannot say; the caller then keeps metadata only, never the texts. */
export type NameFinder = { find(texts: readonly string[]): Promise<readonly FoundName[]> };

/** The detection of one document: what the finder names in it is looked for as whole words, like what operators list. */
export async function detectionWithNames(
  finder: NameFinder | null,
  document: object,
  detection: OwnDetection,
): Promise<OwnDetection> {
  if (finder === null) return detection;
  const texts = new Set<string>();
  collect(document as JsonValue, [], texts);
  const found = await finder.find([...texts]);
  const lists = nameTypes.map((type) => ({
    id: `model-${type.toLowerCase()}`,
    type,
    entries: found.filter((name) => name.type === type).map(({ value }) => value),
  }));
  const detector = nameListDetector(lists, 'named by the model');
  return detector === null ? detection : withDetector(detection, detector);
}

/** Without a letter that stands by itself nothing can be a name. */
const mayHoldName = /\p{L}\p{M}*\p{L}/u;

type Path = readonly (string | number)[];

/** Every string and key that somebody else wrote, of JSON in strings what is in it. Documents have a bounded depth. */
function collect(value: JsonValue | undefined, path: Path, texts: Set<string>): void {
  if (typeof value === 'string') {
    if (!isOurs(path, value)) addText(value, 0, texts);
  } else if (Array.isArray(value)) {
    for (const [at, item] of value.entries()) collect(item, [...path, at], texts);
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value)) {
      addText(key, nestingMax, texts);
      collect(item, [...path, key], texts);
    }
  }
}

function addText(text: string, nesting: number, texts: Set<string>): void {
  const tokens = nesting < nestingMax && mayBeJson(text) ? lexJson(text) : undefined;
  if (tokens === undefined) {
    if (mayHoldName.test(text) && !known.has(text)) texts.add(text);
    return;
  }
  for (const { kind, value } of tokens)
    if (kind !== 'number') addText(value, kind === 'key' ? nestingMax : nesting + 1, texts);
}

/** Keys and values that every message has, and that no model need be asked about. */
const known: ReadonlySet<string> = new Set([
  'role',
  'content',
  'type',
  'text',
  'user',
  'assistant',
  'messages',
  'name',
]);
