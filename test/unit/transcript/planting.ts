/** Puts a value in every place of a JSON document, one place at a time. */
import type { JsonValue } from '../../../extproc/transcript/document.ts';

export type Planted = { place: string; value: JsonValue };

/** One copy for each string and each key: the string replaced, grown at its end, and the key replaced. */
export function planted(value: JsonValue, secret: string): Planted[] {
  return placesOf(value, []).flatMap(({ path, isKey }) => {
    const place = `${isKey ? 'key ' : ''}${path.join('.')}`;
    if (isKey) return [{ place, value: changed(value, path, (_, key) => [`${secret}`, key]) }];
    return [
      { place, value: changed(value, path, () => secret) },
      { place: `${place} (within)`, value: changed(value, path, (text) => `${text} ${secret}, ${text}`) },
    ];
  });
}

type Place = { path: (string | number)[]; isKey: boolean };

function placesOf(value: JsonValue, path: (string | number)[]): Place[] {
  if (typeof value === 'string') return [{ path, isKey: false }];
  if (typeof value !== 'object' || value === null) return [];
  if (Array.isArray(value)) return value.flatMap((item, at) => placesOf(item, [...path, at]));
  return Object.entries(value).flatMap(([key, item]) => [
    { path: [...path, key], isKey: true },
    ...placesOf(item, [...path, key]),
  ]);
}

/** `change` gives a new string, or for a key its new name. */
function changed(
  value: JsonValue,
  path: readonly (string | number)[],
  change: (text: string, key: string) => string | [name: string, key: string],
): JsonValue {
  const [step, ...rest] = path;
  if (Array.isArray(value)) return value.map((item, at) => (at === step ? changed(item, rest, change) : item));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => {
        if (key !== step) return [key, item];
        const renamed = rest.length === 0 ? change(typeof item === 'string' ? item : '', key) : undefined;
        if (Array.isArray(renamed)) return [renamed[0], item];
        return [key, renamed ?? changed(item, rest, change)];
      }),
    );
  }
  const result = change(String(value), '');
  return Array.isArray(result) ? value : result;
}
