/**
 * What is there already, or comes later. Most steps of an exchange wait for nothing: they pass without a promise, and
 * without a turn of the queue of microtasks.
 */
export type Soon<T> = T | Promise<T>;

/** Goes on with it, at once where it is there. */
export function whenThere<T, U>(soon: Soon<T>, goOn: (value: T) => Soon<U>): Soon<U> {
  return soon instanceof Promise ? soon.then(goOn) : goOn(soon);
}
