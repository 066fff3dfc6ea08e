import type { SQLInputValue } from 'node:sqlite';

/** Terms of a `where`, all of which must hold, with the values of their question marks in order. */
export class Conditions {
  readonly #terms: string[] = [];
  readonly values: SQLInputValue[] = [];

  add(term: string, ...values: SQLInputValue[]): this {
    this.#terms.push(term);
    this.values.push(...values);
    return this;
  }

  /** The clause, or nothing. */
  where(): string {
    return this.#terms.length === 0 ? '' : `where ${this.#terms.join(' and ')}`;
  }
}
