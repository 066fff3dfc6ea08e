/** What a local of a plan may hold, as far as it matters for which parts of an input document are looked at. */

/** Something out of the input: the document, or all that stands in one of its places. */
export class Place {
  readonly fields = new Map<string, Place>();
  each: Place | undefined;
  /** Otherwise no more is looked at than whether it is there, its type, its sign, and whether it is true or false. */
  isWhole = false;
}

/** Known when the policy is compiled: it stands in a list or in a rule. */
export class Constant {
  readonly value: unknown;
  readonly only: Possibles = new Set([this]);

  constructor(value: unknown) {
    this.value = value;
  }
}

/** An array, an object or a set that a rule makes. */
export class Made {
  readonly fields = new Map<string, Set<Possible>>();
  readonly others = new Set<Possible>();
  isLookedAt = false;

  *all(): Generator<Possible> {
    for (const values of this.fields.values()) yield* values;
    yield* this.others;
  }
}

/** Whatever comes out of what was looked at. */
export const reckoned = Symbol('reckoned');

export type Possible = Place | Constant | Made | typeof reckoned;
/** Empty: undefined, or never reached. */
export type Possibles = ReadonlySet<Possible>;

export const onlyReckoned: Possibles = new Set([reckoned]);

/** One object for each constant, so that a set holds it once. */
export class Constants {
  readonly #known = new Map<unknown, Constant>();

  of(value: unknown): Constant {
    const known = this.#known.get(value);
    if (known !== undefined) return known;
    const constant = new Constant(value);
    this.#known.set(value, constant);
    return constant;
  }

  only(value: unknown): Possibles {
    return this.of(value).only;
  }
}

type Scalar = string | number | boolean | null;

/** The text, number, truth value or null that it must be; undefined when it may be something else. */
export function onlyScalar(possibles: Possibles): Scalar | undefined {
  const [only] = possibles;
  return possibles.size === 1 && only !== undefined ? scalarOf(only) : undefined;
}

export function scalarOf(possible: Possible): Scalar | undefined {
  if (!(possible instanceof Constant)) return undefined;
  const { value } = possible;
  return value === null || ['string', 'number', 'boolean'].includes(typeof value) ? (value as Scalar) : undefined;
}

/** Whether it can only be a collection without elements. */
export function isEmptyCollection(possibles: Possibles): boolean {
  return [...possibles].every((possible) => {
    if (possible instanceof Made) return possible.fields.size === 0 && possible.others.size === 0;
    if (!(possible instanceof Constant)) return false;
    const { value } = possible;
    return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
  });
}

/** What is compared with these gives away no more than its type, its sign, and whether it is true or false. */
export function areLandmarks(possibles: Possibles): boolean {
  return [...possibles].every((possible) => {
    const value = scalarOf(possible);
    return value === null || value === 0 || typeof value === 'boolean';
  });
}

export function mayBeEqual(a: Possibles, b: Possibles): boolean {
  return somePair(a, b, (one, other) => one === other);
}

export function mayDiffer(a: Possibles, b: Possibles): boolean {
  return somePair(a, b, (one, other) => one !== other);
}

/** What is no scalar may be anything. */
function somePair(a: Possibles, b: Possibles, holds: (one: Scalar, other: Scalar) => boolean): boolean {
  const others = [...b].map(scalarOf);
  return [...a].map(scalarOf).some((one) => {
    return others.some((other) => one === undefined || other === undefined || holds(one, other));
  });
}
