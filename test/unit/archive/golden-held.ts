/** Makes test/fixtures/archive/held-v1 anew: only for a version that was never released. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Retirement } from '../../../extproc/archive/retire.ts';
import { FakeFileSystem } from '../../fakes/file-system.ts';
import { goldenExchanges } from './golden.ts';
import { archiveOn, day, directory } from './rig.ts';

export const goldenHeldDirectory = fileURLToPath(new URL('../../fixtures/archive/held-v1', import.meta.url));

/** The third of those of the golden archive is held, which refers to the first. */
async function make(): Promise<void> {
  const disk = new FakeFileSystem();
  const { open, key } = archiveOn(disk, {}, Buffer.alloc(32, 9));
  const archive = open();
  const exchanges = goldenExchanges();
  for (const exchange of exchanges) await archive.archive([exchange]);
  await archive.close();
  const ownerOf = (sealed: Uint8Array) => Buffer.from(sealed.subarray(0, 16)).toString('hex');
  const retirement = new Retirement({ directory, fileSystem: disk, key, ownerOf, nowMs: () => day });
  const held = async () => new Set(exchanges.slice(2, 3).map(({ exchangeId }) => exchangeId));
  await retirement.thin({ retentionClass: 'standard', day: '2026-11-29' }, held, 'retention');
  for (const path of disk.paths()) {
    const file = join(goldenHeldDirectory, path.slice(directory.length + 1));
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, disk.bytesOf(path));
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await make();
