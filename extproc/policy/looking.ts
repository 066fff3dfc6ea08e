/** What each thing that is done with a possible value looks at, and what comes out of it. */
import type { Look } from './look.ts';
import { bothLooks } from './look.ts';
import {
  areLandmarks,
  Constant,
  Constants,
  isEmptyCollection,
  Made,
  onlyReckoned,
  Place,
  type Possible,
  type Possibles,
  reckoned,
  scalarOf,
} from './possible-values.ts';

/** Of larger lists the elements are not told apart. */
const toldApartMax = 256;

export class Looking {
  readonly constants = new Constants();
  readonly input = new Place();
  /** Grows whenever something new is known. */
  growth = 0;

  /** Its value counts, with all in it. */
  whole(possibles: Iterable<Possible>): void {
    for (const possible of possibles) {
      if (possible instanceof Place && !possible.isWhole) {
        possible.isWhole = true;
        this.growth += 1;
      }
      if (possible instanceof Made && !possible.isLookedAt) {
        possible.isLookedAt = true;
        this.growth += 1;
        this.whole([...possible.all()]);
      }
    }
  }

  compared(a: Possibles, b: Possibles): void {
    if (!areLandmarks(b)) this.whole(a);
    if (!areLandmarks(a)) this.whole(b);
  }

  /** `source[key]`. */
  field(source: Possibles, key: Possibles): Set<Possible> {
    const names = [...key].map(scalarOf);
    const isKnown = !names.includes(undefined);
    if (!isKnown && !isEmptyCollection(source)) this.whole(key);
    const found = new Set<Possible>();
    for (const possible of source) {
      for (const name of isKnown ? names : [undefined]) {
        for (const one of this.#fieldOf(possible, name)) found.add(one);
      }
    }
    return found;
  }

  #fieldOf(possible: Possible, name: unknown): Iterable<Possible> {
    if (possible === reckoned) return onlyReckoned;
    if (possible instanceof Place)
      return [typeof name === 'string' ? this.#named(possible, name) : this.#each(possible)];
    if (possible instanceof Made) {
      const named = typeof name === 'string' ? (possible.fields.get(name) ?? []) : [...possible.all()];
      return [...named, ...possible.others];
    }
    const { value } = possible;
    if (name === undefined || typeof value !== 'object' || value === null) return this.elements(new Set([possible]));
    const key = String(name);
    return Object.hasOwn(value, key) ? [this.constants.of((value as Record<string, unknown>)[key])] : [];
  }

  /** What goes through all elements, or fields, sees how many there are and their names. */
  elements(source: Possibles): Set<Possible> {
    const found = new Set<Possible>();
    for (const possible of source) {
      if (possible === reckoned) found.add(reckoned);
      if (possible instanceof Place) found.add(this.#each(possible));
      if (possible instanceof Made) for (const one of possible.all()) found.add(one);
      if (possible instanceof Constant) for (const one of this.#elementsOf(possible.value)) found.add(one);
    }
    return found;
  }

  #elementsOf(value: unknown): Possibles {
    if (typeof value !== 'object' || value === null) return new Set();
    const elements = Object.values(value);
    if (elements.length > toldApartMax) return onlyReckoned;
    return new Set(elements.map((element) => this.constants.of(element)));
  }

  keys(source: Possibles): Set<Possible> {
    return new Set([...source].flatMap((possible) => this.#keysOf(possible)));
  }

  #keysOf(possible: Possible): Possible[] {
    const names = namesIn(possible);
    if (names === null || names.length > toldApartMax) return [reckoned];
    return names.map((name) => this.constants.of(name));
  }

  insert(collections: Possibles, values: Possibles, name?: unknown): void {
    for (const collection of collections) {
      if (!(collection instanceof Made)) this.whole(values);
      else this.add(typeof name === 'string' ? fieldIn(collection, name) : collection.others, values);
      if (collection instanceof Made && collection.isLookedAt) this.whole(values);
    }
  }

  add(known: Set<Possible>, more: Iterable<Possible>): void {
    const before = known.size;
    for (const possible of more) known.add(possible);
    this.growth += known.size - before;
  }

  #named(place: Place, name: string): Place {
    // What objects inherit must not be read for a field.
    if (name in Object.prototype) return this.#each(place);
    const known = place.fields.get(name);
    if (known !== undefined) return known;
    const field = new Place();
    place.fields.set(name, field);
    this.growth += 1;
    return field;
  }

  #each(place: Place): Place {
    if (place.each === undefined) {
      place.each = new Place();
      this.growth += 1;
    }
    return place.each;
  }
}

/** Null where they are not known. */
function namesIn(possible: Possible): string[] | null {
  if (possible instanceof Made) return possible.others.size === 0 ? [...possible.fields.keys()] : null;
  if (!(possible instanceof Constant)) return null;
  const { value } = possible;
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.keys(value) : null;
}

function fieldIn(made: Made, name: string): Set<Possible> {
  const known = made.fields.get(name);
  if (known !== undefined) return known;
  const values = new Set<Possible>();
  made.fields.set(name, values);
  return values;
}

export function lookAt(place: Place): Look {
  if (place.isWhole) return 'whole';
  const each = place.each === undefined ? null : lookAt(place.each);
  const named = [...place.fields].map(([name, field]): [string, Look] => {
    const look = lookAt(field);
    return [name, each === null ? look : bothLooks(look, each)];
  });
  return { fields: new Map(named), each };
}
