/** A journal on a disk that fails, stalls and forgets, beside a plain array that says what it must hold. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Journal } from '../../extproc/journal/journal.ts';
import type { Position } from '../../extproc/journal/position.ts';
import { openJournalReader } from '../../extproc/journal/reader.ts';
import { verifyJournal } from '../../extproc/journal/verify.ts';
import { FakeFileSystem, seededRandom } from '../fakes/file-system.ts';
import { directory, key, openOn, readRecords, settle } from '../unit/journal/rig.ts';

export type Action =
  | { kind: 'append'; sizes: number[] }
  | { kind: 'sync' }
  | { kind: 'powerFailure'; seed: number; holes: boolean; amid: number }
  | { kind: 'kill' }
  | { kind: 'reopen' }
  | { kind: 'free'; share: number }
  | { kind: 'rotate'; sizes: number[] }
  | { kind: 'read'; share: number }
  | { kind: 'readBeside'; share: number; sizes: number[] }
  | { kind: 'fault'; verb: 'write' | 'sync'; passing: number; shortBytes: number; seed: number };

type Known = { text: string; position: Position };

// 600 does not fit beside anything in a segment of 512 bytes: it rotates.
const sizes = fc.array(fc.oneof(fc.nat(40), fc.constant(600)), { minLength: 1, maxLength: 5 });
const share = fc.double({ min: 0, max: 1, noNaN: true });
export const journalActions: fc.Arbitrary<Action[]> = fc.array(
  fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({ kind: fc.constant('append' as const), sizes }),
    },
    { weight: 4, arbitrary: fc.constant({ kind: 'sync' as const }) },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('powerFailure' as const),
        seed: fc.nat(),
        holes: fc.boolean(),
        amid: fc.nat(4),
      }),
    },
    { weight: 1, arbitrary: fc.constant({ kind: 'kill' as const }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'reopen' as const }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('free' as const), share }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('rotate' as const), sizes }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('read' as const), share }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('readBeside' as const), share, sizes }) },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('fault' as const),
        verb: fc.constantFrom('write' as const, 'sync' as const),
        passing: fc.nat(3),
        shortBytes: fc.nat(200),
        seed: fc.nat(),
      }),
    },
  ),
  // Faults show in what comes after them: lists are drawn long, and shrunk when they fail.
  { maxLength: 30, size: 'max' },
);

/** The journal beside an array: `known` are the records acknowledged and not freed, of which `synced` are safe. */
export class JournalRun {
  readonly #disk: FakeFileSystem;
  readonly #segmentMaxBytes: number;
  #journal: Journal;
  #known: Known[] = [];
  #synced = 0;
  #count = 0;

  private constructor(disk: FakeFileSystem, journal: Journal, segmentMaxBytes: number) {
    this.#disk = disk;
    this.#segmentMaxBytes = segmentMaxBytes;
    this.#journal = journal;
  }

  static async begin(segmentMaxBytes: number): Promise<JournalRun> {
    const disk = new FakeFileSystem();
    return new JournalRun(disk, (await openOn(disk, { segmentMaxBytes })).journal, segmentMaxBytes);
  }

  async do(action: Action): Promise<void> {
    switch (action.kind) {
      case 'append':
        return this.#append(action.sizes);
      case 'sync':
        await this.#journal.sync();
        this.#synced = this.#known.length;
        return;
      case 'powerFailure':
        return this.#powerFailure(action);
      case 'kill':
        this.#disk.kill();
        return this.#restart(this.#known.length);
      case 'reopen':
        await this.#journal.close();
        return this.#restart(this.#known.length);
      case 'rotate':
        return this.#rotate(action.sizes);
      case 'free':
        return this.#free(action.share);
      case 'read':
        return this.#read(action.share);
      case 'readBeside':
        return this.#readBeside(action);
      case 'fault':
        return this.#fault(action);
    }
  }

  async #append(sizes: readonly number[]): Promise<void> {
    const texts = sizes.map((size) => `${this.#count++}:`.padEnd(size, '.'));
    const positions = await Promise.all(texts.map((text) => this.#journal.append([Buffer.from(text)])));
    for (const [index, position] of positions.entries()) this.#known.push({ text: texts[index] ?? '', position });
  }

  /** Appends before, and while the segment is ended; afterwards those before are in one that may be freed. */
  async #rotate([first = 1, ...sizes]: readonly number[]): Promise<void> {
    await this.#append([first]);
    const before = this.#known.at(-1)?.position.segment ?? 0;
    const rotated = this.#journal.rotate(Number.POSITIVE_INFINITY);
    await this.#append(sizes);
    await rotated;
    assert.ok(this.#journal.written().segment > before);
    const after = this.#known.slice(this.#known.length - sizes.length);
    assert.deepEqual(
      after.filter(({ position }) => position.segment <= before),
      [],
    );
    this.#synced = Math.max(this.#synced, this.#known.length - sizes.length);
  }

  /** Fails the power while appends that nobody got an answer for are under way. */
  async #powerFailure({ seed, holes, amid }: Action & { kind: 'powerFailure' }): Promise<void> {
    const underWay = Array.from({ length: amid }, () => `${this.#count++}:under way`);
    const answers = underWay.map((text) => this.#journal.append([Buffer.from(text)]));
    for (const answer of answers) answer.catch(() => {});
    if (seed % 2 === 0) await new Promise((resolve) => setImmediate(resolve));
    this.#disk.crash(seededRandom(seed), holes);
    await settle();
    return this.#restart(this.#synced, underWay);
  }

  /** The disk fails some calls later; what was said to be there is there after the restart, and nothing is said after. */
  async #fault({ verb, passing, shortBytes, seed }: Action & { kind: 'fault' }): Promise<void> {
    if (shortBytes > 0) this.#disk.shortWrite(shortBytes);
    if (verb === 'write') this.#disk.failNextWrite('ENOSPC', passing);
    else this.#disk.failNextSync('EIO', passing);
    const tried: string[] = [];
    let synced = this.#synced;
    let appended = this.#known.length;
    let failed = false;
    // Each round writes and syncs, so the fault is met whatever it lets pass.
    for (let round = 0; round < 8; round += 1) {
      tried.push(`${this.#count++}:beside a fault`);
      const answers = await Promise.allSettled([
        this.#journal.append([Buffer.from(tried.at(-1) ?? '')]),
        this.#journal.sync(),
      ]);
      for (const answer of answers) {
        if (answer.status === 'rejected') assert.equal(answer.reason.code, 'journal_poisoned');
        else assert.equal(failed, false, 'something was acknowledged after the fault');
      }
      if (answers[0].status === 'fulfilled') appended = this.#known.length + tried.length;
      if (answers[1].status === 'fulfilled') synced = this.#known.length + tried.length;
      failed ||= answers.some(({ status }) => status === 'rejected');
    }
    assert.equal(failed, true, 'the fault was met');
    const isPowerFailure = seed % 2 === 0;
    if (isPowerFailure) this.#disk.crash(seededRandom(seed), false);
    else this.#disk.kill();
    await settle();
    return this.#restart(isPowerFailure ? synced : appended, tried);
  }

  async #restart(safe: number, underWay: readonly string[] = []): Promise<void> {
    const { journal, recovery } = await openOn(this.#disk, { segmentMaxBytes: this.#segmentMaxBytes });
    this.#journal = journal;
    assert.deepEqual(recovery.damage, [], 'a crash alone is never called damage');
    const found = await readRecords(this.#disk);
    const wanted = [...this.#known.map(({ text }) => text), ...underWay];
    const texts = found.map(({ payload }) => payload.toString());
    assert.deepEqual(texts, wanted.slice(0, texts.length));
    assert.ok(texts.length >= safe, `${safe} records were safe, ${texts.length} are left`);
    this.#known = found.map(({ position }, index) => ({ text: texts[index] ?? '', position }));
    this.#synced = this.#known.length;
    assert.equal((await verifyJournal(directory, key, this.#disk)).status, 'clean');
  }

  async #free(part: number): Promise<void> {
    const upTo = this.#at(part);
    if (upTo === undefined) return;
    await this.#journal.free(upTo.position);
    const first = (await readRecords(this.#disk))[0]?.position;
    const gone = this.#known.findIndex(({ position }) => position.segment === first?.segment);
    assert.ok(gone >= 0 && gone <= this.#known.indexOf(upTo), 'nothing from the position on is freed');
    this.#known.splice(0, gone);
    this.#synced = Math.max(0, this.#synced - gone);
  }

  async #read(part: number): Promise<void> {
    const from = this.#at(part);
    const start = from === undefined ? 0 : this.#known.indexOf(from);
    const found = await readRecords(this.#disk, from?.position ?? null);
    assert.deepEqual(
      found.map(({ position, payload }) => ({ text: payload.toString(), position })),
      this.#known.slice(start),
    );
    if (from === undefined) return;
    const reader = openJournalReader({ directory, fileSystem: this.#disk, key });
    assert.equal((await reader.readAt(from.position)).toString(), from.text);
    await reader.close();
  }

  /** A reader at work while the writer goes on and rotates sees every record once, in order, and no other. */
  async #readBeside({ share: part, sizes: more }: Action & { kind: 'readBeside' }): Promise<void> {
    const from = this.#at(part);
    const start = from === undefined ? 0 : this.#known.indexOf(from);
    const reader = openJournalReader({ directory, fileSystem: this.#disk, key });
    const seen: string[] = [];
    let at = from?.position ?? null;
    const readOn = async () => {
      for await (const { payload, next } of reader.read(at)) {
        seen.push(Buffer.from(payload).toString());
        at = next;
      }
    };
    await Promise.all([readOn(), this.#append(more)]);
    await readOn();
    await reader.close();
    assert.deepEqual(
      seen,
      this.#known.slice(start).map(({ text }) => text),
    );
  }

  #at(part: number): Known | undefined {
    return this.#known[Math.min(this.#known.length - 1, Math.floor(part * this.#known.length))];
  }
}
