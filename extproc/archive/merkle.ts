/** The Merkle tree over the frames of a segment, in the shape of RFC 6962 section 2.1. */
import { createHash } from 'node:crypto';

export function leafHash(parts: readonly Uint8Array[]): Buffer {
  const hash = createHash('sha256').update(Buffer.of(0));
  for (const part of parts) hash.update(part);
  return hash.digest();
}

function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  return createHash('sha256').update(Buffer.of(1)).update(left).update(right).digest();
}

/** The root of no leaves. */
const emptyRoot = createHash('sha256').digest();

/** A tree that only grows, in memory of its depth: the roots of its full subtrees, the largest first. */
export class MerkleFrontier {
  readonly #full: { size: number; root: Buffer }[] = [];
  #leaves = 0;

  get leaves(): number {
    return this.#leaves;
  }

  add(leaf: Uint8Array): void {
    let added: { size: number; root: Buffer } = { size: 1, root: Buffer.from(leaf) };
    for (;;) {
      const last = this.#full.at(-1);
      if (last?.size !== added.size) break;
      this.#full.pop();
      added = { size: 2 * added.size, root: nodeHash(last.root, added.root) };
    }
    this.#full.push(added);
    this.#leaves += 1;
  }

  root(): Buffer {
    let root: Buffer | undefined;
    for (const { root: left } of this.#full.toReversed()) root = root === undefined ? left : nodeHash(left, root);
    return root ?? emptyRoot;
  }
}

export function merkleRoot(leaves: readonly Uint8Array[]): Buffer {
  const frontier = new MerkleFrontier();
  for (const leaf of leaves) frontier.add(leaf);
  return frontier.root();
}

/** A tree over leaves that are all known. Roots of subtrees are made once, so that many paths cost little more than one (inv. 11). */
export class MerkleTree {
  readonly #leaves: readonly Uint8Array[];
  /** By first leaf and size. */
  readonly #roots = new Map<string, Buffer>();

  constructor(leaves: readonly Uint8Array[]) {
    this.#leaves = leaves;
  }

  get root(): Buffer {
    return this.#leaves.length === 0 ? emptyRoot : this.#rootOf(0, this.#leaves.length);
  }

  /** PATH(index, leaves) of RFC 6962 section 2.1.1: from the leaf's neighbour up to below the root. */
  path(index: number): Buffer[] {
    const path: Buffer[] = [];
    let [first, size] = [0, this.#leaves.length];
    while (size > 1) {
      const split = splitOf(size);
      if (index < first + split) {
        path.push(this.#rootOf(first + split, size - split));
        size = split;
      } else {
        path.push(this.#rootOf(first, split));
        first += split;
        size -= split;
      }
    }
    return path.reverse();
  }

  #rootOf(first: number, size: number): Buffer {
    const leaf = this.#leaves[first];
    if (size === 1 && leaf !== undefined) return Buffer.from(leaf);
    const name = `${first} ${size}`;
    const known = this.#roots.get(name);
    if (known !== undefined) return known;
    const split = splitOf(size);
    const root = nodeHash(this.#rootOf(first, split), this.#rootOf(first + split, size - split));
    this.#roots.set(name, root);
    return root;
  }
}

/** The root that follows from a leaf and its path; undefined when the path does not fit the tree. RFC 9162 section 2.1.3.2. */
export function rootOfPath(
  leaf: Uint8Array,
  index: number,
  size: number,
  path: readonly Uint8Array[],
): Buffer | undefined {
  if (index < 0 || index >= size) return undefined;
  if (size === 1) return path.length === 0 ? Buffer.from(leaf) : undefined;
  const sibling = path.at(-1);
  if (sibling === undefined) return undefined;
  const split = splitOf(size);
  const rest = path.slice(0, -1);
  if (index < split) {
    const left = rootOfPath(leaf, index, split, rest);
    return left && nodeHash(left, sibling);
  }
  const right = rootOfPath(leaf, index - split, size - split, rest);
  return right && nodeHash(sibling, right);
}

/** The largest power of two smaller than `size`, which is at least 2. */
function splitOf(size: number): number {
  return 2 ** (Math.ceil(Math.log2(size)) - 1);
}
