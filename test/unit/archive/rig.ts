/** An archive on the fake disk, with keys that stand in for those of persons, and exchanges to put into it. */
import { createHmac, randomBytes } from 'node:crypto';
import { Archive } from '../../../extproc/archive/archive.ts';
import type { OpenedKey, Opener, Person, Sealer } from '../../../extproc/archive/cipher.ts';
import type { JournalPlace } from '../../../extproc/archive/format.ts';
import type { ArchivedExchange, ArchiveOptions } from '../../../extproc/archive/options.ts';
import { ArchiveReader } from '../../../extproc/archive/reader.ts';
import type { ArchiveRecovery } from '../../../extproc/archive/recover.ts';
import { newSigningKey } from '../../../extproc/archive/signing.ts';
import type { RecordBody } from '../../../extproc/exchange/record.ts';
import { encodeRecord } from '../../../extproc/exchange/record.ts';
import type { FakeFileSystem } from '../../fakes/file-system.ts';
import { decidedOf, finishedOf, startedOf } from '../transcript/example.ts';

export const directory = '/data/archive';
export const day = Date.UTC(2026, 10, 29, 12);
export const ada: Person = { issuer: 'https://login.example.org', subject: 'u-ada' };
export const eve: Person = { issuer: 'https://login.example.org', subject: 'u-eve' };

/** Seals a key by xor with a keyed hash of whom and what it is for: enough to tell persons and segments apart. */
export class FakeKeys implements Sealer, Opener {
  readonly #secret: Uint8Array;
  readonly erased = new Set<string>();
  made = 0;
  #generation = 0;

  constructor(secret: Uint8Array = randomBytes(32)) {
    this.#secret = secret;
  }

  async sealedKeyFor(person: Person, retentionClass: string, context: Uint8Array) {
    this.made += 1;
    const key = randomBytes(32);
    const name = Buffer.from(JSON.stringify([person, retentionClass]));
    const id = createHmac('sha256', this.#secret)
      .update(name)
      .update(String(this.#generation))
      .digest()
      .subarray(0, 16);
    return { key: new Uint8Array(key), sealed: Buffer.concat([id, this.#mask(id, context, key)]) };
  }

  async isCurrent(sealed: Uint8Array): Promise<boolean> {
    return !this.erased.has(this.pairOf(sealed));
  }

  pairOf(sealed: Uint8Array): string {
    return Buffer.from(sealed.subarray(0, 16)).toString('hex');
  }

  async open(sealed: Uint8Array, context: Uint8Array): Promise<OpenedKey> {
    const id = Buffer.from(sealed.subarray(0, 16));
    if (this.erased.has(id.toString('hex'))) return { kind: 'erased' };
    return { kind: 'opened', key: this.#mask(id, context, sealed.subarray(16)) };
  }

  erase(person: Person, retentionClass: string): void {
    const name = Buffer.from(JSON.stringify([person, retentionClass]));
    const id = createHmac('sha256', this.#secret).update(name).update(String(this.#generation)).digest('hex');
    this.erased.add(id.slice(0, 32));
    this.#generation += 1;
  }

  #mask(id: Uint8Array, context: Uint8Array, key: Uint8Array): Buffer {
    const mask = createHmac('sha256', this.#secret).update(id).update(context).digest();
    return Buffer.from(key.map((byte, at) => byte ^ (mask[at] ?? 0)));
  }
}

export function archiveOn(disk: FakeFileSystem, overrides: Partial<ArchiveOptions> = {}, secret?: Uint8Array) {
  const recoveries: ArchiveRecovery[] = [];
  const keys = new FakeKeys(secret);
  const key = newSigningKey();
  const ends = new Map<string, string>();
  const options: ArchiveOptions = {
    directory,
    fileSystem: disk,
    key,
    sealer: keys,
    segmentMaxBytes: 1024 * 1024,
    checkpointIntervalMs: 0,
    nowMs: () => day,
    findEnd: async (place) => ends.get(JSON.stringify([place.journal, place.segment, place.offset])) ?? null,
    sinks: [],
    onRecovered: (recovery) => recoveries.push(recovery),
    onSinkFailed: () => {},
    ...overrides,
  };
  const open = (more: Partial<ArchiveOptions> = {}) => new Archive({ ...options, ...more });
  const reader = (of: 'exchanges' | 'metadata' = 'exchanges') =>
    new ArchiveReader({ directory, fileSystem: disk, opener: keys, of });
  /** As the journal would: an exchange that ended there. */
  const ended = (exchange: ArchivedExchange) => {
    const { journal, segment, offset } = exchange.place;
    ends.set(JSON.stringify([journal, segment, offset]), exchange.exchangeId);
    return exchange;
  };
  return { open, reader, keys, key, recoveries, ended, ends, writerDirectory: `${directory}/${key.writer}` };
}

export function exchangeIdOf(number: number, beganMs = day): string {
  const time = beganMs.toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${String(number).padStart(12, '0')}`;
}

export type Told = {
  request?: Uint8Array[];
  answer?: Uint8Array[];
  changed?: Uint8Array;
  person?: Person;
  retentionClass?: string;
  finishedMs?: number;
  place?: JournalPlace;
  documents?: unknown[];
  metadata?: unknown;
};

/** Its records are at `payloads` too, to compare with. */
export function exchangeOf(number: number, told: Told = {}): ArchivedExchange & { payloads: Buffer[] } {
  const { request = [Buffer.from(`{"prompt":"number ${number}"}`)], answer = [Buffer.from(`answer ${number}`)] } = told;
  const finishedMs = told.finishedMs ?? day;
  const exchangeId = exchangeIdOf(number, finishedMs - 1_000);
  const bodies: RecordBody[] = [
    { kind: 'started', started: startedOf() },
    ...request.map((bytes) => ({ kind: 'request_body' as const, bytes })),
    { kind: 'decided', decided: decidedOf() },
    { kind: 'answer_started', answer: { status: 200, headers: [], codeDetails: 'via_upstream' } },
    ...answer.map((bytes) => ({ kind: 'answer_body' as const, bytes })),
    ...(told.changed === undefined ? [] : [{ kind: 'answer_changed' as const, bytes: told.changed }]),
    { kind: 'finished', finished: finishedOf() },
  ];
  const payloads = bodies.map((body, at) =>
    Buffer.concat(encodeRecord({ exchangeId, timeMs: finishedMs - 1_000 + 7 * at, ...body })),
  );
  return {
    exchangeId,
    place: told.place ?? { journal: 1, segment: 1, offset: 1_000 * number },
    finishedMs,
    person: told.person ?? ada,
    retentionClass: told.retentionClass ?? 'standard',
    async *records() {
      yield* payloads;
    },
    metadata: told.metadata ?? null,
    documents: told.documents ?? [{ event: { id: exchangeId }, text: `masked ${number}` }],
    payloads,
  };
}

export async function collected<T>(source: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const one of source) all.push(one);
  return all;
}

export async function readBack(
  reader: ArchiveReader,
  exchangeId: string,
): Promise<{ payloads: Buffer[]; documents: unknown[] }> {
  const outcome = await reader.read(exchangeId);
  if (outcome.kind !== 'found') throw new Error(`${exchangeId} is ${outcome.kind}`);
  return { payloads: await collected(outcome.exchange.records()), documents: await outcome.exchange.documents() };
}
