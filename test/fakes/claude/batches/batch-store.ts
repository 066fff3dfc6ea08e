/** The batches of the fake: each ends at once, or after as many looks at it as its prompts ask for. */
import { ApiError } from '../api-error.ts';
import { BoundedMap } from '../storage/bounded-map.ts';
import { idSeries, plusSeconds, type SteppingClock } from '../storage/foretold.ts';
import type { BatchLine } from './batch-results.ts';

type Status = 'in_progress' | 'canceling' | 'ended';

export type StoredBatch = {
  readonly id: string;
  readonly createdAt: string;
  readonly status: Status;
  readonly pollsLeft: number;
  readonly cancelInitiatedAt: string | null;
  readonly endedAt: string | null;
  readonly lines: readonly BatchLine[];
  readonly isReversed: boolean;
};

export type NewBatch = Pick<StoredBatch, 'pollsLeft' | 'lines' | 'isReversed'>;

const BATCHES_MAX = 500;
const BYTES_MAX = 256 * 1024 * 1024;
const DAY_SECONDS = 86_400;

export class BatchStore {
  readonly #batches = new BoundedMap<StoredBatch>({
    countMax: BATCHES_MAX,
    bytesMax: BYTES_MAX,
    bytesOf: ({ lines }) => lines.reduce((sum, { json }) => sum + json.length, 0),
  });
  readonly #nextId = idSeries('msgbatch_01');
  readonly #clock: SteppingClock;
  readonly #publicUrl: () => string;

  /** `publicUrl` is what `results_url` begins with. */
  constructor(clock: SteppingClock, publicUrl: () => string) {
    this.#clock = clock;
    this.#publicUrl = publicUrl;
  }

  add(batch: NewBatch): StoredBatch {
    const createdAt = this.#clock.now();
    const isOver = batch.pollsLeft === 0;
    return this.#keep({
      ...batch,
      id: this.#nextId(),
      createdAt,
      status: isOver ? 'ended' : 'in_progress',
      cancelInitiatedAt: null,
      endedAt: isOver ? createdAt : null,
    });
  }

  get(id: string): StoredBatch | undefined {
    return this.#batches.get(id);
  }

  /** A look at the batch, which may be the one that finds it ended. */
  poll(batch: StoredBatch): StoredBatch {
    if (batch.status === 'ended') return batch;
    if (batch.status === 'in_progress' && batch.pollsLeft > 1) {
      this.#keep({ ...batch, pollsLeft: batch.pollsLeft - 1 });
      return batch;
    }
    if (batch.status === 'in_progress') {
      this.#keep({ ...batch, pollsLeft: 0, status: 'ended', endedAt: this.#clock.now() });
      return batch;
    }
    const lines = batch.lines.map(({ customId }) => canceledLine(customId));
    return this.#keep({ ...batch, pollsLeft: 0, status: 'ended', endedAt: this.#clock.now(), lines });
  }

  cancel(batch: StoredBatch): StoredBatch {
    if (batch.status === 'ended') throw new ApiError(400, `batch ${batch.id} has ended already`);
    return this.#keep({ ...batch, status: 'canceling', cancelInitiatedAt: this.#clock.now() });
  }

  delete(batch: StoredBatch): void {
    if (batch.status !== 'ended') throw new ApiError(400, `batch ${batch.id} must end before it can be deleted`);
    this.#batches.delete(batch.id);
  }

  list(): StoredBatch[] {
    return this.#batches.newestFirst();
  }

  /** As the API shows it. */
  json({ id, createdAt, status, cancelInitiatedAt, endedAt, lines }: StoredBatch) {
    const isOver = status === 'ended';
    const count = (kind: BatchLine['result']) => (isOver ? lines.filter(({ result }) => result === kind).length : 0);
    return {
      id,
      type: 'message_batch',
      processing_status: status,
      request_counts: {
        processing: isOver ? 0 : lines.length,
        succeeded: count('succeeded'),
        errored: count('errored'),
        canceled: count('canceled'),
        expired: count('expired'),
      },
      created_at: createdAt,
      expires_at: plusSeconds(createdAt, DAY_SECONDS),
      cancel_initiated_at: cancelInitiatedAt,
      ended_at: endedAt,
      archived_at: null,
      results_url: isOver ? `${this.#publicUrl()}/v1/messages/batches/${id}/results` : null,
    };
  }

  #keep(batch: StoredBatch): StoredBatch {
    this.#batches.set(batch.id, batch);
    return batch;
  }
}

function canceledLine(customId: string): BatchLine {
  return { customId, result: 'canceled', json: JSON.stringify({ custom_id: customId, result: { type: 'canceled' } }) };
}
