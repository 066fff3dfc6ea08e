/** Objects that hold a name and its value side by side, as lists of variables, headers, fields and settings do. */
import type { JsonToken } from './json-lexer.ts';

const nameKeys: ReadonlySet<string> = new Set([
  ...['name', 'key', 'label', 'header', 'variable', 'field', 'question'],
  ...['Name', 'Key', 'Label'],
]);
const valueKeys: ReadonlySet<string> = new Set(['value', 'Value', 'val', 'default', 'answer']);
/** Words, in which nothing is found: so they are the same context when what is masked is masked again. */
const words = /^(?!.*\d{4})[\p{L}\p{M}\p{N} _.:/#()-]{2,64}$/u;

/** Under which name a value stands in an object that is read as a whole: its key, or the object's own name for it. */
export function pairedKeyName(keyName: string, object: { readonly [key: string]: unknown }): string {
  if (!valueKeys.has(keyName)) return keyName;
  for (const key of nameKeys) {
    const name = Object.hasOwn(object, key) ? object[key] : undefined;
    if (typeof name === 'string' && words.test(name)) return name;
  }
  return keyName;
}

/** The same for the tokens of one JSON text, which come in order: a name counts for what stands behind it. */
export class JsonPairs {
  readonly #names = new Map<number, string>();

  keyNameOf({ kind, value, keyName, object }: JsonToken): string {
    if (kind === 'string' && nameKeys.has(keyName) && words.test(value)) this.#names.set(object, value);
    return valueKeys.has(keyName) ? (this.#names.get(object) ?? keyName) : keyName;
  }
}
