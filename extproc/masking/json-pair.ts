/** Objects that hold a name and its value side by side, as lists of variables, headers and settings do. */
import type { JsonToken } from './json-lexer.ts';
import { isSensitiveKey } from './sensitive-key.ts';

const nameKeys: ReadonlySet<string> = new Set(['name', 'key', 'Name', 'Key', 'header', 'variable', 'field']);
const valueKeys: ReadonlySet<string> = new Set(['value', 'Value', 'default', 'val']);

/** What a value is called that stands under `keyName` in an object: by the object's own name where that tells of a secret. */
function calledBy(keyName: string, name: string | undefined): string {
  return name !== undefined && valueKeys.has(keyName) && isSensitiveKey(name) ? name : keyName;
}

/** The same for an object that is read as a whole. */
export function pairedKeyName(keyName: string, object: { readonly [key: string]: unknown }): string {
  if (!valueKeys.has(keyName)) return keyName;
  for (const key of nameKeys) {
    const name = Object.hasOwn(object, key) ? object[key] : undefined;
    if (typeof name === 'string' && isSensitiveKey(name)) return name;
  }
  return keyName;
}

/** The same for the tokens of one JSON text, which come in order: a name counts for what stands behind it. */
export class JsonPairs {
  readonly #names = new Map<number, string>();

  /** Under which name the value of this token stands. */
  keyNameOf({ kind, value, keyName, object }: JsonToken): string {
    if (kind === 'string' && nameKeys.has(keyName) && isSensitiveKey(value)) this.#names.set(object, value);
    return this.#names.size === 0 ? keyName : calledBy(keyName, this.#names.get(object));
  }
}
