/** The key names of one object while it is rewritten: two keys that become the same both stay, the later with a suffix. */
export class KeyNames {
  readonly #unchanged: string[] = [];
  #names: Names | undefined;

  /** The name for the next key. A key that was double before masking stays double. */
  claim(original: string, masked: string): string {
    // in hardly an object is there a key to mask, and then nothing can become the same
    if (this.#names === undefined && original === masked) {
      this.#unchanged.push(original);
      return original;
    }
    this.#names ??= new Names(this.#unchanged);
    return this.#names.claim(original, masked);
  }
}

class Names {
  readonly #original: Set<string>;
  readonly #rewritten = new Map<string, number>();

  constructor(unchanged: readonly string[]) {
    this.#original = new Set(unchanged);
  }

  claim(original: string, masked: string): string {
    const changed = original !== masked;
    if (!this.#isTaken(masked, changed)) return this.#take(masked, changed);
    let count = this.#rewritten.get(masked) ?? 1;
    let name: string;
    do {
      count++;
      name = `${masked}#${count}`;
    } while (this.#isTaken(name, true));
    this.#rewritten.set(masked, count);
    return this.#take(name, true);
  }

  #isTaken(name: string, changed: boolean): boolean {
    return this.#rewritten.has(name) || (changed && this.#original.has(name));
  }

  #take(name: string, changed: boolean): string {
    if (changed) this.#rewritten.set(name, 1);
    else this.#original.add(name);
    return name;
  }
}
