/** What the rules of a stage can look at in an input document, and the document without the rest. */

/**
 * `whole` is the value with all in it. Otherwise a text is any text, a number counts by its sign alone, and an object or
 * array by what is said of its fields; `each` is said of all elements, and of all fields without a name here.
 */
export type Look = 'whole' | { fields: ReadonlyMap<string, Look>; each: Look | null };

/** Gives the JSON of what is looked at in a value. */
export type Seeing = (value: unknown) => string;

/**
 * Only what is looked at. Where rules cannot tell values apart, all of them become the same one, so what is decided of the
 * result is what is decided of the document. As text at once: a document of its own would be most of an exchange's garbage.
 */
export function seeingBy(look: Look): Seeing {
  if (look === 'whole') return wholeJson;
  const each = look.each && seeingBy(look.each);
  const fields = [...look.fields].map(([name, inner]) => ({ name, see: seeingBy(inner) }));
  const seeFields = each === null ? namedFields(fields) : allFields(fields, each);
  return (value) => {
    switch (typeof value) {
      case 'string':
        return '""';
      case 'number':
        return Number.isFinite(value) ? String(Math.sign(value)) : 'null';
      case 'object':
        if (value === null) return 'null';
        return Array.isArray(value) ? elements(value, each) : seeFields(value as Fields);
      default:
        return wholeJson(value);
    }
  };
}

type Fields = Readonly<Record<string, unknown>>;
type SeenField = { name: string; see: Seeing };

/** What JSON has no value for is null in it. */
function wholeJson(value: unknown): string {
  return JSON.stringify(value) ?? 'null';
}

function elements(values: readonly unknown[], each: Seeing | null): string {
  return each === null ? '[]' : `[${values.map(each).join(',')}]`;
}

function namedFields(fields: readonly SeenField[]): (value: Fields) => string {
  const begun = fields.map(({ name, see }) => ({ name, see, key: `${JSON.stringify(name)}:` }));
  return (value) => {
    let seen = '';
    for (const { name, see, key } of begun) {
      const inner = value[name];
      if (inner !== undefined) seen += (seen === '' ? key : `,${key}`) + see(inner);
    }
    return `{${seen}}`;
  };
}

function allFields(fields: readonly SeenField[], each: Seeing): (value: Fields) => string {
  const named = new Map(fields.map(({ name, see }) => [name, see]));
  return (value) => {
    const seen: string[] = [];
    for (const [name, inner] of Object.entries(value)) {
      if (inner !== undefined) seen.push(`${JSON.stringify(name)}:${(named.get(name) ?? each)(inner)}`);
    }
    return `{${seen.join(',')}}`;
  };
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
