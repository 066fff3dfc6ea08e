/** Makes test/fixtures/archive/held-v1 anew: only for a version that was never released. */
import { fileURLToPath } from 'node:url';
import { goldenArchive, goldenExchanges, keepGolden } from './golden.ts';

export const goldenHeldDirectory = fileURLToPath(new URL('../../fixtures/archive/held-v1', import.meta.url));

/** The third of those of the golden archive is held, which refers to the first. */
async function make(): Promise<void> {
  const exchanges = goldenExchanges();
  const { disk, retirement } = await goldenArchive(exchanges);
  const held = async () => new Set(exchanges.slice(2, 3).map(({ exchangeId }) => exchangeId));
  await retirement.thin({ retentionClass: 'standard', day: '2026-11-29' }, held, 'retention');
  keepGolden(disk, goldenHeldDirectory);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await make();
