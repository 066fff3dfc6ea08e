import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkProof, proofOf } from '../../extproc/archive/proof.ts';
import { Retirement } from '../../extproc/archive/retire.ts';
import { verifyArchive } from '../../extproc/archive/verify.ts';
import type { FileSystem } from '../../extproc/journal/fs.ts';
import { FakeFileSystem, seededRandom } from '../fakes/file-system.ts';
import { ada, archiveOn, collected, day, directory, eve, exchangeOf, readBack } from '../unit/archive/rig.ts';

const runs = 25;
const first = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
const dayMs = 86_400_000;
const families = ['2026-11-29', '2026-12-01'].map((of) => ({ retentionClass: 'standard', day: of }));

/** The process dies after so many calls that change the disk: that one and all after it fail. */
function mortal(disk: FakeFileSystem, calls: number): { fileSystem: FileSystem; isDead: () => boolean } {
  let left = calls;
  const changing = new Set(['createAppend', 'openAppend', 'rename', 'remove', 'syncDirectory', 'writev', 'datasync']);
  const wrapped = <T extends object>(target: T): T =>
    new Proxy(target, {
      get(of, name) {
        const value = Reflect.get(of, name) as unknown;
        if (typeof value !== 'function') return value;
        return async (...given: unknown[]) => {
          if (changing.has(String(name))) left -= 1;
          if (left < 0) throw new Error('killed');
          const result: unknown = await value.apply(of, given);
          return String(name).endsWith('Append') ? wrapped(result as object) : result;
        };
      },
    });
  return { fileSystem: wrapped(disk as FileSystem), isDead: () => left < 0 };
}

class HeldRun {
  readonly #random: () => number;
  readonly #disk = new FakeFileSystem();
  readonly #outside: string[] = [];
  readonly #rig: ReturnType<typeof archiveOn>;
  readonly #exchanges: ReturnType<typeof exchangeOf>[];
  #held: Set<string>;
  deaths = 0;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
    const sinks = [{ name: 'outside', deliver: async (line: string) => void this.#outside.push(line) }];
    this.#rig = archiveOn(this.#disk, { segmentMaxBytes: 2_000 + this.#below(4_000), sinks });
    const said = '{"role":"user","content":"again and again, the same words"},';
    this.#exchanges = Array.from({ length: 24 }, (_, at) =>
      exchangeOf(at + 1, {
        request: [Buffer.from(`${said.repeat(40 + this.#below(80))}{"content":"${at} ${this.#random()}"}`)],
        person: this.#random() < 0.5 ? ada : eve,
        finishedMs: day + (at < 12 ? 0 : 2 * dayMs),
      }),
    );
    this.#held = new Set(this.#exchanges.filter(() => this.#random() < 0.3).map(({ exchangeId }) => exchangeId));
  }

  #below(bound: number): number {
    return Math.floor(this.#random() * bound);
  }

  async write(): Promise<void> {
    for (let at = 0; at < this.#exchanges.length; ) {
      const archive = this.#rig.open();
      const count = 1 + this.#below(9);
      await archive.archive(this.#exchanges.slice(at, at + count));
      await archive.close();
      at += count;
    }
  }

  /** A sweep that dies somewhere, or comes to its end. */
  async step(): Promise<void> {
    if (this.#random() < 0.3) this.#held = new Set([...this.#held].filter(() => this.#random() < 0.7));
    const { fileSystem, isDead } = mortal(this.#disk, this.#below(60));
    await this.#sweep(fileSystem).catch((thrown: unknown) => {
      if (!isDead()) throw thrown;
    });
    if (isDead()) {
      this.deaths += 1;
      if (this.#random() < 0.5) this.#disk.kill();
      else this.#disk.crash(this.#random, this.#random() < 0.5);
    }
    await this.check();
  }

  async #sweep(fileSystem: FileSystem): Promise<void> {
    const retirement = new Retirement({
      ...{ directory, fileSystem, key: this.#rig.key, nowMs: () => day + 40 * dayMs },
      ownerOf: (sealed) => Buffer.from(sealed.subarray(0, 16)).toString('hex'),
    });
    const heldOf = async (ids: readonly string[]) => new Set(ids.filter((id) => this.#held.has(id)));
    for (const family of families) await retirement.thin(family, heldOf, 'retention');
  }

  /** Each held record once, byte for byte, and proven; nothing wrong by the word of anybody outside. */
  async check(): Promise<string[]> {
    const reader = this.#rig.reader();
    const found = await collected(reader.exchanges());
    // What is listed still is whole, held or not.
    for (const one of found) if (one.kind === 'found') await collected(one.exchange.records());
    const ids = found.map((one) => (one.kind === 'found' ? one.exchange.exchangeId : one.exchangeId));
    assert.equal(new Set(ids).size, ids.length, 'an exchange twice');
    for (const id of this.#held) {
      const { payloads, documents } = await readBack(reader, id);
      const exchange = this.#exchanges.find(({ exchangeId }) => exchangeId === id);
      assert.deepEqual([payloads, documents], [exchange?.payloads, exchange?.documents]);
      const proof = await proofOf(directory, this.#disk, id, () => this.#rig.key.publicKey);
      assert.equal(checkProof(JSON.stringify(proof), this.#rig.key.publicKey).kind, 'proven');
    }
    await reader.close();
    const { findings } = await verifyArchive({
      ...{ directory, fileSystem: this.#disk, publicKeys: [this.#rig.key.publicKey] },
      outside: new Map([['outside', this.#outside.join('\n')]]),
    });
    assert.deepEqual(findings, []);
    return ids;
  }

  /** The writer starts again, a last sweep comes to its end, and what is there is what is held. */
  async finish(): Promise<void> {
    const archive = this.#rig.open();
    const late = exchangeOf(99, { finishedMs: day + 30 * dayMs });
    await archive.archive([late]);
    await archive.close();
    await this.#sweep(this.#disk);
    assert.deepEqual((await this.check()).toSorted(), [...this.#held, late.exchangeId].toSorted());
    this.#held.clear();
    await this.#sweep(this.#disk);
    assert.deepEqual(await this.check(), [late.exchangeId]);
    assert.ok(this.#disk.paths().every((path) => !path.includes('held.records')));
  }
}

test('whenever a sweep dies, each held record is there once, whole and proven, and the next sweep does the rest', async () => {
  let deaths = 0;
  for (let seed = first; seed < first + runs; seed += 1) {
    const run = new HeldRun(seed);
    try {
      await run.write();
      for (let step = 0; step < 6; step += 1) await run.step();
      await run.finish();
    } catch (thrown) {
      throw new Error(`seed ${seed}`, { cause: thrown });
    }
    deaths += run.deaths;
  }
  assert.ok(deaths > runs, `${deaths} deaths are too few to say anything`);
});
