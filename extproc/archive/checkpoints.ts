/** When a writer signs, what it signs, and to whom outside it is given. */
import { type ChainPoint, type Checkpoint, type CheckpointSink, type Tombstone, tombstonesOf } from './checkpoint.ts';
import type { SignedLog } from './signed-log.ts';

export type CheckpointsParts = {
  log: SignedLog<Checkpoint>;
  tombstones: SignedLog<Tombstone>;
  writer: string;
  nowMs: () => number;
  checkpointIntervalMs: number;
  sinks: readonly CheckpointSink[];
  onSinkFailed: (sink: string, thrown: unknown) => void;
};

export class Checkpoints {
  readonly #parts: CheckpointsParts;
  #ended: ChainPoint[] = [];
  #isChanged = false;
  #writtenAt = performance.now();

  constructor(parts: CheckpointsParts) {
    this.#parts = parts;
  }

  /** An exchange came since the last checkpoint. */
  changed(): void {
    this.#isChanged = true;
  }

  /** A segment ended: the next checkpoint is due at once and names it. */
  ended(point: ChainPoint): void {
    this.#ended.push(point);
  }

  async writeWhenDue(states: () => ChainPoint[]): Promise<void> {
    const { log, checkpointIntervalMs } = this.#parts;
    const isTime =
      this.#isChanged && (log.last === undefined || performance.now() - this.#writtenAt >= checkpointIntervalMs);
    if (isTime || this.#ended.length > 0) await this.write(states());
  }

  /** What is signed must be on disk. Does nothing when nothing happened since the last one. */
  async write(states: readonly ChainPoint[]): Promise<void> {
    if (!this.#isChanged && this.#ended.length === 0) return;
    const { log, writer, nowMs, tombstones } = this.#parts;
    // Retention deletes in a process of its own.
    await tombstones.follow(tombstonesOf);
    const named = new Map([...this.#ended, ...states].map((point) => [point.id, point]));
    const entry = await log.append({
      version: 1,
      writer,
      timeMs: nowMs(),
      chains: [...named.values()],
      tombstones: { count: tombstones.count, last: tombstones.last?.hash ?? null },
    });
    this.#ended = [];
    this.#isChanged = false;
    this.#writtenAt = performance.now();
    for (const sink of this.#parts.sinks) {
      await sink
        .deliver(entry.line, entry.value)
        .catch((thrown: unknown) => this.#parts.onSinkFailed(sink.name, thrown));
    }
  }
}
