/** Which chunks of a person are in a family already, and where. In memory alone: nothing on disk tells of equal content. */
import { hash } from 'node:crypto';
import type { Base, Extent } from './extent.ts';

/** Of all persons together; one takes about 200 bytes. Beyond it whoever was met longest ago is forgotten (inv. 10). */
export const knownChunksMax = 100_000;

/** So many conversations at once of one person are told apart. */
const knownRequestsMax = 16;
/** A reader follows bases to this depth; a list beyond it is written whole. */
const baseDepthMax = 16;
const baseExtentsMin = 4;

type KnownRequest = { home: { segment: number; frame: number }; depth: number; extents: readonly Extent[] };

/** What one person has in one family. What is forgotten is stored once more when it comes again. */
export class KnownChunks {
  readonly #byHash = new Map<string, Extent>();
  readonly #requests: KnownRequest[] = [];
  /** The key of the last frame that was put here, sealed; whoever cannot open it cannot read these chunks either. */
  sealedWith: Uint8Array | undefined;

  get size(): number {
    return this.#byHash.size + this.#requests.reduce((sum, { extents }) => sum + extents.length, 0);
  }

  /** The exchange of late whose request begins with the most of these extents; null where hardly any does. */
  baseFor(extents: readonly Extent[]): (Base & { depth: number }) | null {
    let best: (Base & { depth: number }) | null = null;
    for (const { home, depth, extents: theirs } of this.#requests) {
      const count = commonBegin(extents, theirs);
      if (depth < baseDepthMax && count >= baseExtentsMin && count > (best?.count ?? 0))
        best = { ...home, count, depth };
    }
    return best;
  }

  addRequest(request: KnownRequest): void {
    this.#requests.push(request);
    if (this.#requests.length > knownRequestsMax) this.#requests.shift();
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
  /** What each took when it was counted last, and all of them together. */
  readonly #counted = new Map<string, number>();
  #total = 0;
  /** Asked for since, so that they may have grown. */
  readonly #touched = new Set<string>();

  constructor(max = knownChunksMax) {
    this.#max = max;
  }

  /** @param family retention class and day */
  of(family: string, person: string): KnownChunks {
    const name = `${family} ${person}`;
    const table = this.#tables.get(name) ?? new KnownChunks();
    this.#tables.delete(name);
    this.#tables.set(name, table);
    this.#touched.add(name);
    return table;
  }

  /** The person was erased: nothing that comes may refer to what came. */
  renew(family: string, person: string): KnownChunks {
    this.#forget(`${family} ${person}`);
    return this.of(family, person);
  }

  /** Called after each exchange; costs what that one touched, not what there is (inv. 11). */
  trim(): void {
    for (const name of this.#touched) {
      const taken = (this.#tables.get(name)?.size ?? -1) + 1;
      this.#total += taken - (this.#counted.get(name) ?? 0);
      this.#counted.set(name, taken);
    }
    this.#touched.clear();
    for (const name of this.#tables.keys()) {
      if (this.#total <= this.#max || this.#tables.size === 1) return;
      this.#forget(name);
    }
  }

  /** A family is over: no exchange may refer to it from another one. */
  forgetFamily(family: string): void {
    for (const name of this.#tables.keys()) if (name.startsWith(`${family} `)) this.#forget(name);
  }

  #forget(name: string): void {
    this.#tables.delete(name);
    this.#touched.delete(name);
    this.#total -= this.#counted.get(name) ?? 0;
    this.#counted.delete(name);
  }

  get max(): number {
    return this.#max;
  }
}

function commonBegin(a: readonly Extent[], b: readonly Extent[]): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at += 1) {
    const [one, other] = [a[at], b[at]];
    const isSame =
      one?.frame === other?.frame &&
      one?.segment === other?.segment &&
      one?.offset === other?.offset &&
      one?.length === other?.length;
    if (!isSame) return at;
  }
  return length;
}
