/** What the fake keeps in memory: bounded in count and bytes; the oldest is forgotten first. */

export type Bounds<Value> = {
  readonly countMax: number;
  /** Of all values together; a single larger one is kept alone. Without it bytes are not counted. */
  readonly bytesMax?: number;
  readonly bytesOf?: (value: Value) => number;
};

export class BoundedMap<Value> {
  readonly #entries = new Map<string, { readonly value: Value; readonly bytes: number }>();
  readonly #bounds: Bounds<Value>;
  #bytes = 0;

  constructor(bounds: Bounds<Value>) {
    this.#bounds = bounds;
  }

  get(id: string): Value | undefined {
    return this.#entries.get(id)?.value;
  }

  /** Adds, or replaces in its old place. */
  set(id: string, value: Value): void {
    const bytes = this.#bounds.bytesOf?.(value) ?? 0;
    this.#bytes += bytes - (this.#entries.get(id)?.bytes ?? 0);
    this.#entries.set(id, { value, bytes });
    const bytesMax = this.#bounds.bytesMax ?? Number.POSITIVE_INFINITY;
    for (const [oldest] of this.#entries) {
      if (this.#entries.size <= this.#bounds.countMax && (this.#bytes <= bytesMax || this.#entries.size === 1)) return;
      this.delete(oldest);
    }
  }

  /** The value that was there. */
  delete(id: string): Value | undefined {
    const entry = this.#entries.get(id);
    this.#entries.delete(id);
    this.#bytes -= entry?.bytes ?? 0;
    return entry?.value;
  }

  /** Newest first, as the API lists. */
  newestFirst(): Value[] {
    return [...this.#entries.values()].map(({ value }) => value).toReversed();
  }
}
