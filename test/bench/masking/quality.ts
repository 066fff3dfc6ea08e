/** How well spans that a tool found agree with spans that people labelled. */

/** UTF-16 offsets, `end` exclusive. */
export type Span = { start: number; end: number; type: string };

export type LabelledText = { id: string; text: string; spans: readonly Span[] };

/** Of one type: `exact` and `covered` of the `labelled` spans, `right` of the `found` ones. */
export type TypeQuality = {
  type: string;
  labelled: number;
  exact: number;
  covered: number;
  found: number;
  right: number;
};

/** `clean` of `without`: texts without a labelled span in which nothing was found. */
export type Quality = { types: TypeQuality[]; without: number; clean: number };

/** Labels that mean the same; a name in lower case is that of a rule for a secret. */
const sameType: Readonly<Record<string, string>> = { DOMAIN: 'URL', DOMAIN_NAME: 'URL', PRIVATE_KEY: 'SECRET' };

export function typeOf(label: string): string {
  if (label !== label.toUpperCase()) return 'SECRET';
  return sameType[label] ?? label;
}

/**
 * A labelled span is found exactly by one of the same place and type, and covered when each of its characters is in some
 * span, of whatever type. A found span is right when it overlaps a labelled one of its type. `found` goes text by text.
 */
export function quality(texts: readonly LabelledText[], found: readonly (readonly Span[])[]): Quality {
  const types = new Map<string, TypeQuality>();
  const ofType = (type: string): TypeQuality => {
    const known = types.get(type) ?? { type, labelled: 0, exact: 0, covered: 0, found: 0, right: 0 };
    types.set(type, known);
    return known;
  };
  let [without, clean] = [0, 0];
  for (const [index, { spans }] of texts.entries()) {
    const labelled = spans.map((span) => ({ ...span, type: typeOf(span.type) }));
    const given = (found[index] ?? []).map((span) => ({ ...span, type: typeOf(span.type) }));
    if (labelled.length === 0) {
      without += 1;
      if (given.length === 0) clean += 1;
    }
    for (const span of labelled) {
      const counts = ofType(span.type);
      counts.labelled += 1;
      if (given.some((one) => isSame(one, span))) counts.exact += 1;
      if (isCovered(span, given)) counts.covered += 1;
    }
    for (const span of given) {
      const counts = ofType(span.type);
      counts.found += 1;
      if (labelled.some((one) => one.type === span.type && overlaps(one, span))) counts.right += 1;
    }
  }
  return { types: [...types.values()].sort((a, b) => (a.type < b.type ? -1 : 1)), without, clean };
}

function isSame(a: Span, b: Span): boolean {
  return a.start === b.start && a.end === b.end && a.type === b.type;
}

function overlaps(a: Span, b: Span): boolean {
  return a.start < b.end && b.start < a.end;
}

function isCovered(span: Span, found: readonly Span[]): boolean {
  let reached = span.start;
  for (const { start, end } of [...found].sort((a, b) => a.start - b.start)) {
    if (start > reached) break;
    reached = Math.max(reached, end);
  }
  return reached >= span.end;
}

/** Spans whose offsets count code points, as Python does. */
export function fromCodePoints(text: string, spans: readonly [start: number, end: number, type: string][]): Span[] {
  const places: number[] = [];
  let at = 0;
  for (const char of text) {
    places.push(at);
    at += char.length;
  }
  const placeOf = (point: number): number => places[point] ?? at;
  return spans.map(([start, end, type]) => ({ start: placeOf(start), end: placeOf(end), type }));
}

/** Everywhere that one of the values stands, as secrets. */
export function placesOf(text: string, values: readonly string[]): Span[] {
  return [...new Set(values)]
    .filter((value) => value !== '')
    .flatMap((value) => {
      const spans: Span[] = [];
      for (let at = text.indexOf(value); at !== -1; at = text.indexOf(value, at + value.length)) {
        spans.push({ start: at, end: at + value.length, type: 'SECRET' });
      }
      return spans;
    });
}
