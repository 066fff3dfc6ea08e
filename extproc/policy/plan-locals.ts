/** What the locals of a function may hold while its plan is gone through. */
import { Made, type Possible, type Possibles } from './possible-values.ts';

const nothing: Possibles = new Set();

/** What is known of a function for one place where it is called. It only ever grows. */
export class Frame {
  readonly params: Set<Possible>[] = [];
  readonly result = new Set<Possible>();
  /** Of functions that are called in it. */
  readonly calls = new Frames();
  readonly #made = new Map<object, Made>();
  readonly #carried = new Map<object, Map<number, Set<Possible>>>();
  /** The last pass that went through it. */
  pass = 0;

  madeBy(statement: object): Made {
    return known(this.#made, statement, () => new Made());
  }

  /** What one turn of a loop leaves to the next ones. */
  carriedBy(loop: object): Map<number, Set<Possible>> {
    return known(this.#carried, loop, () => new Map());
  }
}

export class Frames {
  readonly #known = new Map<object, Map<string, Frame>>();

  of(statement: object, called: string): Frame {
    return known(
      known(this.#known, statement, () => new Map<string, Frame>()),
      called,
      () => new Frame(),
    );
  }
}

function known<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const found = map.get(key);
  if (found !== undefined) return found;
  const made = make();
  map.set(key, made);
  return made;
}

/** What a local held before a block, and all that it got there. */
type Assigned = { before: Possibles; got: Possibles };

/** The locals in one pass through a function. OPA uses a local again when nobody needs what it held. */
export class Locals {
  readonly #now: Map<number, Possibles>;
  #assigned = new Map<number, Assigned>();

  constructor(params: readonly (readonly [number, Possibles])[]) {
    this.#now = new Map(params);
  }

  of(local: number): Possibles {
    return this.#now.get(local) ?? nothing;
  }

  /** It holds nothing else from then on. */
  assign(local: number, values: Possibles): void {
    const { before, got } = this.#assigned.get(local) ?? { before: this.of(local), got: nothing };
    this.#assigned.set(local, { before, got: union(got, values) });
    this.#now.set(local, values);
  }

  /** It may hold what it held, too. */
  assignMaybe(local: number, values: Possibles): void {
    this.assign(local, union(this.of(local), values));
  }

  /** Behind a block that may have ended anywhere, each local holds what it held or something that it got there. */
  within(block: () => void): ReadonlyMap<number, Assigned> {
    const outer = this.#assigned;
    this.#assigned = new Map();
    block();
    const assigned = this.#assigned;
    this.#assigned = outer;
    for (const [local, { before, got }] of assigned) {
      this.#now.set(local, before);
      this.assignMaybe(local, got);
    }
    return assigned;
  }
}

function union(one: Possibles, other: Possibles): Possibles {
  if (one.size === 0 || one === other) return other;
  return other.size === 0 ? one : new Set([...one, ...other]);
}
