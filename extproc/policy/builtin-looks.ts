/**
 * What builtins look at in their arguments. All that a module has give the same for the same arguments: what tells the time
 * or a random number is no part of it, and a policy that asks for it is refused when it is loaded.
 */
import type { Looking } from './looking.ts';
import {
  areLandmarks,
  Constant,
  isEmptyCollection,
  Made,
  onlyReckoned,
  onlyScalar,
  type Possible,
  type Possibles,
} from './possible-values.ts';

const typeTests = new Set([
  ...['is_array', 'is_boolean', 'is_null', 'is_number', 'is_object', 'is_set', 'is_string', 'type_name'],
]);

type Compared = number | string;
const comparisons: Readonly<Record<string, (a: Compared, b: Compared) => boolean>> = {
  gt: (a, b) => a > b,
  gte: (a, b) => a >= b,
  lt: (a, b) => a < b,
  lte: (a, b) => a <= b,
};

/** Any that is not known here looks at all of its arguments. */
export function builtinResult(looking: Looking, name: string, args: readonly Possibles[]): Possibles {
  const [first = onlyReckoned, second = onlyReckoned, third = onlyReckoned] = args;
  const constant = (value: unknown): Possibles => looking.constants.only(value);
  if (typeTests.has(name)) return onlyReckoned;
  if (name === 'count' && isEmptyCollection(first)) return constant(0);
  if (name === 'internal.member_2' && isEmptyCollection(second)) return constant(false);
  if (name === 'object.get' && typeof onlyScalar(second) === 'string') {
    return new Set<Possible>([...looking.field(first, second), ...third]);
  }
  if (name === 'internal.member_2' && areLandmarks(looking.elements(second)) && areKnown(second)) return onlyReckoned;
  const compare = comparisons[name];
  const [a, b] = [onlyScalar(first), onlyScalar(second)];
  if (compare !== undefined) {
    if (typeof a === 'number' && typeof b === 'number') return constant(compare(a, b));
    looking.compared(first, second);
    return onlyReckoned;
  }
  for (const arg of args) looking.whole(arg);
  return onlyReckoned;
}

/** What goes through the elements of anything else looks at more than them. */
function areKnown(collections: Possibles): boolean {
  return [...collections].every((collection) => collection instanceof Made || collection instanceof Constant);
}
