/** Which chunks of a person are in a family already, and where. In memory alone: nothing on disk tells of equal content. */
import { hash } from 'node:crypto';
import type { Extent } from './extent.ts';

/** Of all persons together; one takes about 200 bytes. Beyond it whoever was met longest ago is forgotten (inv. 10). */
export const knownChunksMax = 100_000;

/** What one person has in one family. What is forgotten is stored once more when it comes again. */
export class KnownChunks {
  readonly #byHash = new Map<string, Extent>();

  get size(): number {
    return this.#byHash.size;
  }

  find(key: string): Extent | undefined {
    return this.#byHash.get(key);
  }

  add(key: string, extent: Extent, max: number): void {
    this.#byHash.set(key, extent);
    if (this.#byHash.size <= max) return;
    for (const oldest of this.#byHash.keys()) {
      this.#byHash.delete(oldest);
      break;
    }
  }
}

/** SHA-256, so that a caller cannot make two chunks of their own be taken for each other. */
export function chunkKey(chunk: Uint8Array): string {
  return hash('sha256', chunk, 'base64url');
}

/** The tables of all persons and families, the one used last at the end. */
export class BlockTables {
  readonly #max: number;
  readonly #tables = new Map<string, KnownChunks>();

  constructor(max = knownChunksMax) {
    this.#max = max;
  }

  /** @param family retention class and day */
  of(family: string, person: string): KnownChunks {
    const name = `${family} ${person}`;
    const table = this.#tables.get(name) ?? new KnownChunks();
    this.#tables.delete(name);
    this.#tables.set(name, table);
    return table;
  }

  /** Called after each exchange. */
  trim(): void {
    let total = 0;
    for (const { size } of this.#tables.values()) total += size + 1;
    for (const [name, { size }] of this.#tables) {
      if (total <= this.#max || this.#tables.size === 1) return;
      this.#tables.delete(name);
      total -= size + 1;
    }
  }

  /** A family is over: no exchange may refer to it from another one. */
  forgetFamily(family: string): void {
    for (const name of this.#tables.keys()) if (name.startsWith(`${family} `)) this.#tables.delete(name);
  }

  get max(): number {
    return this.#max;
  }
}
