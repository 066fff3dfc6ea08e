/** Makes test/fixtures/archive/metadata-v2 anew: only for a version that was never released. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Retirement } from '../../../extproc/archive/retire.ts';
import { FakeFileSystem } from '../../fakes/file-system.ts';
import { archiveOn, day, directory, eve, exchangeOf } from './rig.ts';

export const goldenMetadataDirectory = fileURLToPath(new URL('../../fixtures/archive/metadata-v2', import.meta.url));

/** The content of the first three is gone, and the metadata of the second one is held. */
export function goldenExchanges() {
  return [
    exchangeOf(1, { metadata: { version: 1, left: 'of the first' } }),
    exchangeOf(2, { metadata: { version: 1, left: 'of the second' }, person: eve }),
    exchangeOf(3, { metadata: { version: 1, left: 'of the third' } }),
    exchangeOf(4, { metadata: { version: 1, left: 'of the fourth' }, retentionClass: 'long' }),
  ];
}

async function make(): Promise<void> {
  const disk = new FakeFileSystem();
  const { open, key } = archiveOn(disk, {}, Buffer.alloc(32, 9));
  const archive = open();
  const exchanges = goldenExchanges();
  for (const exchange of exchanges) await archive.archive([exchange]);
  await archive.close();
  const ownerOf = (sealed: Uint8Array) => Buffer.from(sealed.subarray(0, 16)).toString('hex');
  const retirement = new Retirement({ directory, fileSystem: disk, key, ownerOf, nowMs: () => day });
  const held = async () => new Set(exchanges.slice(1, 2).map(({ exchangeId }) => exchangeId));
  await retirement.delete({ retentionClass: 'standard', day: '2026-11-29' }, 'retention');
  await retirement.thin({ retentionClass: 'standard.metadata', day: '2026-11-29' }, held, 'retention');
  for (const path of disk.paths()) {
    const file = join(goldenMetadataDirectory, path.slice(directory.length + 1));
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, disk.bytesOf(path));
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await make();
