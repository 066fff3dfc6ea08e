/** What the rules of a stage can look at in an input document, and the document without the rest. */

/**
 * `whole` is the value with all in it. Otherwise a text is any text, a number counts by its sign alone, and an object or
 * array by what is said of its fields; `each` is said of all elements, and of all fields without a name here.
 */
export type Look = 'whole' | { fields: ReadonlyMap<string, Look>; each: Look | null };

/**
 * Only what is looked at. Where rules cannot tell values apart, all of them become the same one, so what is decided of the
 * result is what is decided of the document.
 */
export function seenOf(value: unknown, look: Look): unknown {
  if (look === 'whole') return value;
  switch (typeof value) {
    case 'string':
      return '';
    case 'number':
      // Others become null in JSON.
      return Number.isFinite(value) ? Math.sign(value) : null;
    case 'object':
      if (value === null) return null;
      return Array.isArray(value) ? elementsOf(value, look.each) : fieldsOf(value as Fields, look);
    default:
      return value;
  }
}

type Fields = Readonly<Record<string, unknown>>;

function elementsOf(values: readonly unknown[], each: Look | null): unknown[] {
  return each === null ? [] : values.map((value) => seenOf(value, each));
}

function fieldsOf(value: Fields, { fields, each }: Exclude<Look, 'whole'>): Fields {
  if (each !== null) {
    // Makes fields by any name, as an assignment of `__proto__` would not.
    return Object.fromEntries(
      Object.entries(value).map(([name, inner]) => [name, seenOf(inner, fields.get(name) ?? each)]),
    );
  }
  const seen: Record<string, unknown> = {};
  for (const [name, look] of fields) {
    const inner = value[name];
    if (inner !== undefined) seen[name] = seenOf(inner, look);
  }
  return seen;
}

/** Of which all is looked at that either says. */
export function bothLooks(one: Look, other: Look): Look {
  if (one === 'whole' || other === 'whole') return 'whole';
  const fields = new Map(one.fields);
  for (const [name, look] of other.fields) {
    const known = fields.get(name);
    fields.set(name, known === undefined ? look : bothLooks(known, look));
  }
  const each = one.each && other.each ? bothLooks(one.each, other.each) : (one.each ?? other.each);
  return { fields, each };
}
