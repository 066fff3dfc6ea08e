/** Makes test/fixtures/archive/v1 anew: only for a version that was never released. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ArchivedExchange } from '../../../extproc/archive/options.ts';
import { Retirement } from '../../../extproc/archive/retire.ts';
import { FakeFileSystem } from '../../fakes/file-system.ts';
import { archiveOn, day, directory, eve, exchangeOf } from './rig.ts';

export const goldenDirectory = fileURLToPath(new URL('../../fixtures/archive/v1', import.meta.url));

export const goldenSecret = Buffer.alloc(32, 9);

/** The exchanges in it. */
export function goldenExchanges() {
  const shared = Buffer.from(
    `{"messages":[${'{"role":"user","content":"the same words again"},'.repeat(40)}{"role":"user"}]}`,
  );
  return [
    exchangeOf(1, {
      request: [shared.subarray(0, 700), shared.subarray(700)],
      answer: [Buffer.from('data: 1\n\n'), Buffer.from('data: 2\n\n')],
    }),
    exchangeOf(2, { request: [shared], person: eve }),
    exchangeOf(3, {
      request: [Buffer.concat([shared, Buffer.from(' and more')])],
      changed: Buffer.from('a changed answer'),
    }),
    exchangeOf(4, { retentionClass: 'long' }),
  ];
}

async function make(): Promise<void> {
  const disk = new FakeFileSystem();
  const { open } = archiveOn(disk, {}, goldenSecret);
  const archive = open();
  const [first, ...others] = goldenExchanges();
  if (first !== undefined) await archive.archive([first]);
  await archive.archive(others);
  await archive.close();
  keepGolden(disk, goldenDirectory);
}

/** What is on the disk of a golden archive becomes the fixture. */
export function keepGolden(disk: FakeFileSystem, fixture: string): void {
  for (const path of disk.paths()) {
    const file = join(fixture, path.slice(directory.length + 1));
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, disk.bytesOf(path));
  }
}

/** With exchanges that were archived one by one, and what thins it out. */
export async function goldenArchive(exchanges: readonly ArchivedExchange[]) {
  const disk = new FakeFileSystem();
  const { open, key } = archiveOn(disk, {}, goldenSecret);
  const archive = open();
  for (const exchange of exchanges) await archive.archive([exchange]);
  await archive.close();
  const ownerOf = (sealed: Uint8Array) => Buffer.from(sealed.subarray(0, 16)).toString('hex');
  return { disk, retirement: new Retirement({ directory, fileSystem: disk, key, ownerOf, nowMs: () => day }) };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await make();
