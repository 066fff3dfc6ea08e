/** The key names of one object while it is rewritten: two keys that become the same both stay, the later with a suffix. */
export class KeyNames {
  readonly #original = new Set<string>();
  readonly #rewritten = new Map<string, number>();

  /** The name for the next key. A key that was double before masking stays double. */
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
