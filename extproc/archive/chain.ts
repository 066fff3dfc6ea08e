/** The hash chain over the frames of a segment, and the tree over the same frames. */
import { createHash } from 'node:crypto';
import { leafHash, MerkleFrontier } from './merkle.ts';

export function chainHash(before: Uint8Array, leaf: Uint8Array): Buffer {
  return createHash('sha256').update(Buffer.of(2)).update(before).update(leaf).digest();
}

/** State of a segment after so many frames; what a checkpoint signs. The end frame is in `hash` and not in `root`. */
export type ChainState = { frames: number; hash: Buffer; root: Buffer };

export class SegmentChain {
  readonly #tree = new MerkleFrontier();
  #hash: Buffer;

  /** @param headerHash where the chain of this segment begins; the header holds the chain of the segment before */
  constructor(headerHash: Buffer) {
    this.#hash = headerHash;
  }

  /** The chain up to the next frame. */
  get hash(): Buffer {
    return this.#hash;
  }

  get frames(): number {
    return this.#tree.leaves;
  }

  /** @param parts the frame as it stands on disk, head and content */
  add(parts: readonly Uint8Array[]): void {
    const leaf = leafHash(parts);
    this.#tree.add(leaf);
    this.#hash = chainHash(this.#hash, leaf);
  }

  /** The chain over the end frame: what the next segment names. */
  close(parts: readonly Uint8Array[]): void {
    this.#hash = chainHash(this.#hash, leafHash(parts));
  }

  /** Goes on from what a frame says, where the chain before it cannot be followed. */
  resume(chain: Uint8Array): void {
    this.#hash = Buffer.from(chain);
  }

  state(): ChainState {
    return { frames: this.frames, hash: this.#hash, root: this.#tree.root() };
  }
}
