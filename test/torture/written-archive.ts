/** An archive of two writers as they leave it, with restarts, kills, an expiry and holds in it, drawn from a seed. */
import { Retirement } from '../../extproc/archive/retire.ts';
import type { SigningKey } from '../../extproc/archive/signing.ts';
import { verifyArchive } from '../../extproc/archive/verify.ts';
import { FakeFileSystem, seededRandom } from '../fakes/file-system.ts';
import { archiveOn, day, directory, eve, exchangeOf } from '../unit/archive/rig.ts';

export type Files = Map<string, Buffer>;
export type Random = () => number;

export type Written = {
  files: Files;
  /** The same at earlier times. */
  before: Files[];
  /** When more of it was held than at the end. */
  heldBefore: Files;
  /** What both gave outside. */
  outside: string;
  keys: readonly SigningKey[];
  /** One of the two. */
  writer: string;
};

const dayMs = 86_400_000;
const batches = 16;
/** Where it is verified: a copy stands elsewhere. */
const copy = '/mnt/a copy/of it';

export async function writtenArchive(seed: number): Promise<Written> {
  const random = seededRandom(seed);
  const disk = new FakeFileSystem();
  const lines: string[] = [];
  const sinks = [{ name: 'outside', deliver: async (line: string) => void lines.push(line) }];
  const rigs = [0, 1].map(() =>
    archiveOn(disk, { segmentMaxBytes: 1_500 + Math.floor(random() ** 2 * 40_000), sinks }),
  );
  const writers = rigs.map((rig) => ({ rig, archive: rig.open() }));
  const before: Files[] = [];
  let number = 0;
  const exchange = (finishedMs: number) => {
    number += 1;
    const text = `${number} ${'x'.repeat(Math.floor(random() ** 3 * 5_000))} ${random()}`;
    const retentionClass = random() < 0.3 ? 'long' : 'standard';
    const person = random() < 0.3 ? { person: eve } : {};
    return exchangeOf(number, {
      request: [Buffer.from(JSON.stringify({ prompt: text }))],
      retentionClass,
      ...person,
      finishedMs,
      metadata: { number, left: 'x'.repeat(Math.floor(random() ** 3 * 500)) },
    });
  };
  for (let batch = 0; batch < batches; batch += 1) {
    for (const writer of writers) {
      const count = Math.floor(random() * 4) + Number(batch % 4 === 0);
      const all = Array.from({ length: count }, () => exchange(day + Math.floor(batch / 4) * dayMs));
      await writer.archive.archive(all.map(writer.rig.ended));
      const end = random();
      if (end < 0.08) await writer.archive.close();
      // A power failure takes both.
      if (end > 0.92) disk.crash();
      for (const one of end > 0.92 ? writers : end < 0.08 ? [writer] : []) one.archive = one.rig.open();
    }
    before.push(filesOf(disk));
  }
  for (const { archive } of writers)
    for (const retentionClass of ['standard', 'long.metadata'])
      await archive.deleteFamily({ retentionClass, day: '2026-11-29' }, 'retention');
  let heldBefore: Files = new Map();
  for (const writer of writers) {
    await writer.archive.close();
    heldBefore = new Map([...heldBefore, ...(await thinned(disk, writer.rig.key))]);
    writer.archive = writer.rig.open();
    await writer.archive.archive([writer.rig.ended(exchange(day + 5 * dayMs))]);
    await writer.archive.close();
  }
  const keys = rigs.map(({ key }) => key);
  const [first] = keys;
  if (first === undefined) throw new Error('no writer');
  return { files: filesOf(disk), before, heldBefore, outside: `${lines.join('\n')}\n`, keys, writer: first.writer };
}

/** Of two days, and of the metadata of one, all are held for a while, and then every second one. */
async function thinned(fileSystem: FakeFileSystem, key: SigningKey): Promise<Files> {
  const ownerOf = (sealed: Uint8Array) => Buffer.from(sealed.subarray(0, 16)).toString('hex');
  const retirement = new Retirement({ directory, fileSystem, key, ownerOf, nowMs: () => day + 40 * dayMs });
  const families = ['2026-11-30', '2026-12-01', '2026-11-30'].map((of, at) => {
    return { retentionClass: at === 2 ? 'standard.metadata' : 'standard', day: of };
  });
  for (const family of families) await retirement.thin(family, async (ids) => new Set(ids), 'retention');
  const before = filesOf(fileSystem);
  const half = async (ids: readonly string[]) => new Set(ids.filter((_, at) => at % 2 === 1));
  for (const family of families) await retirement.thin(family, half, 'a hold ended');
  return before;
}

function filesOf(disk: FakeFileSystem): Files {
  return new Map(disk.paths().map((path) => [path, disk.bytesOf(path)]));
}

export async function verified({ outside, keys }: Pick<Written, 'outside' | 'keys'>, files: Files) {
  const disk = new FakeFileSystem();
  for (const [path, bytes] of files) disk.plant(`${copy}${path.slice(directory.length)}`, bytes);
  return verifyArchive({
    directory: copy,
    fileSystem: disk,
    publicKeys: keys.map(({ publicKey }) => publicKey),
    outside: new Map(outside === '' ? [] : [['outside', outside]]),
  });
}
