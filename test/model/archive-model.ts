import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { Archive } from '../../extproc/archive/archive.ts';
import type { ArchivedExchange } from '../../extproc/archive/options.ts';
import { verifyArchive } from '../../extproc/archive/verify.ts';
import { SkilltapeError } from '../../extproc/errors.ts';
import { FakeFileSystem, seededRandom } from '../fakes/file-system.ts';
import { ada, archiveOn, collected, day, directory, eve, exchangeOf } from '../unit/archive/rig.ts';

type Given = ArchivedExchange & { payloads: Buffer[] };

/**
 * A writer of the archive beside a plain list, on a disk that fails, fills up, and forgets in power failures. What is
 * given again after each is what shipping gives: everything behind a cursor that may stand far back.
 */
export class ArchiveRun {
  readonly #disk = new FakeFileSystem();
  readonly #rig: ReturnType<typeof archiveOn>;
  readonly #random: () => number;
  readonly #outside: string[] = [];
  #archive: Archive;
  /** In the order of their ends; those before `#answered` were answered for. */
  readonly #given: Given[] = [];
  #answered = 0;
  faults = 0;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
    const sinks = [{ name: 'outside', deliver: async (line: string) => void this.#outside.push(line) }];
    this.#rig = archiveOn(this.#disk, { segmentMaxBytes: 8_000, sinks });
    this.#archive = this.#rig.open();
  }

  async step(): Promise<void> {
    const roll = this.#random();
    if (roll < 0.12) this.#disk.failNextWrite(this.#random() < 0.5 ? 'EIO' : 'ENOSPC', Math.floor(this.#random() * 4));
    else if (roll < 0.24) this.#disk.failNextSync('EIO', Math.floor(this.#random() * 4));
    else if (roll < 0.3) this.#disk.shortWrite(Math.floor(this.#random() * 200) + 1);
    else if (roll < 0.36) return this.#restart(() => this.#disk.crash(this.#random, this.#random() < 0.5));
    else if (roll < 0.42) return this.#restart(() => this.#disk.kill());
    else if (roll < 0.46) return this.#restart(() => {}, true);
    await this.#archiveSome();
  }

  /** Everything answered for is there once and as it was; nothing is wrong with the archive, by its own word and from outside. */
  async check(): Promise<void> {
    this.#disk.kill();
    this.#archive = this.#rig.open();
    await this.#archive.archive(this.#given.slice(0, this.#answered));
    await this.#archive.close();
    const found = await collected(this.#rig.reader().exchanges());
    const ids = found.map((outcome) => (outcome.kind === 'found' ? outcome.exchange.exchangeId : outcome.exchangeId));
    assert.equal(ids.length, new Set(ids).size, 'an exchange twice');
    const there = new Map(
      found.flatMap((outcome) => (outcome.kind === 'found' ? [[outcome.exchange.exchangeId, outcome.exchange]] : [])),
    );
    for (const { exchangeId, payloads } of this.#given.slice(0, this.#answered)) {
      const own = there.get(exchangeId);
      assert.ok(own !== undefined, `${exchangeId} was answered for and is not there`);
      assert.deepEqual(await collected(own.records()), payloads);
    }
    const outside = new Map([['outside', `${this.#outside.join('\n')}\n`]]);
    const verified = await verifyArchive({
      directory,
      fileSystem: this.#disk,
      publicKeys: [this.#rig.key.publicKey],
      outside,
    });
    assert.deepEqual(verified.findings, []);
  }

  async #archiveSome(): Promise<void> {
    const count = 1 + Math.floor(this.#random() * 3);
    while (this.#given.length < this.#answered + count) this.#given.push(this.#next());
    // The cursor of shipping may stand behind.
    const from = Math.max(0, this.#answered - Math.floor(this.#random() * 4));
    const batch = this.#given.slice(from, this.#answered + count);
    try {
      await this.#archive.archive(batch);
      this.#answered = from + batch.length;
    } catch (thrown) {
      assert.ok(thrown instanceof SkilltapeError && thrown.code === 'archive_failed', String(thrown));
      this.faults += 1;
    }
  }

  async #restart(end: () => void, orderly = false): Promise<void> {
    if (orderly) await this.#archive.close().catch(() => {});
    end();
    this.#archive = this.#rig.open();
    await this.#archiveSome();
  }

  #next(): Given {
    const number = this.#given.length + 1;
    const repeated = Buffer.from('{"role":"user","content":"again and again"},'.repeat(30));
    const request = [Buffer.concat([repeated, randomBytes(Math.floor(this.#random() * 3_000))])];
    const retentionClass = this.#random() < 0.3 ? 'long' : 'standard';
    const finishedMs = day + Math.floor(number / 12) * 86_400_000;
    const person = this.#random() < 0.4 ? eve : ada;
    const place = { journal: this.#random() < 0.6 ? 1 : 2, segment: 1, offset: 1_000 * number };
    const told = { request, retentionClass, finishedMs, person, place };
    return Object.assign(this.#rig.ended(exchangeOf(number, told)), { payloads: exchangeOf(number, told).payloads });
  }
}
