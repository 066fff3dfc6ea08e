/** Looks into the data as written, which may be of any shape. */

export function isSection(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value at a dotted key; undefined where there is none. Own properties only. */
export function valueAt(data: unknown, key: string): unknown {
  let value = data;
  for (const part of key.split('.')) {
    if (!isSection(value) || !Object.hasOwn(value, part)) return undefined;
    value = Reflect.get(value, part);
  }
  return value;
}
