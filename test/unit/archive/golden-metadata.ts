/** Makes test/fixtures/archive/metadata-v2 anew: only for a version that was never released. */
import { fileURLToPath } from 'node:url';
import { goldenArchive, keepGolden } from './golden.ts';
import { eve, exchangeOf } from './rig.ts';

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
  const exchanges = goldenExchanges();
  const { disk, retirement } = await goldenArchive(exchanges);
  const held = async () => new Set(exchanges.slice(1, 2).map(({ exchangeId }) => exchangeId));
  await retirement.delete({ retentionClass: 'standard', day: '2026-11-29' }, 'retention');
  await retirement.thin({ retentionClass: 'standard.metadata', day: '2026-11-29' }, held, 'retention');
  keepGolden(disk, goldenMetadataDirectory);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await make();
