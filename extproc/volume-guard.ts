/** The watch of the volume as recording uses it: its paths, who is told, and what it keeps out. */
import { existsSync } from 'node:fs';
import { archiveDirectory } from './archive/places.ts';
import type { Config } from './config/config.ts';
import type { ExchangeLog } from './exchange/ports.ts';
import type { Log } from './log.ts';
import { watchVolume } from './operations/conditions.ts';
import type { Operations } from './operations/operations.ts';
import { VolumeWatch } from './volume-watch.ts';

type Guarding = {
  config: Pick<Config, 'dataDirectory' | 'journal'>;
  /** Of the journal. */
  place: { directory: string };
  log: Log;
  operations: Operations;
};

/** Journals and archive may stand on volumes of their own. It was looked at once on return. */
export async function guardedVolume({ config, place, log, operations }: Guarding): Promise<VolumeWatch> {
  const archive = archiveDirectory(config.dataDirectory);
  const paths = [config.dataDirectory, place.directory, ...(existsSync(archive) ? [archive] : [])];
  const volume = new VolumeWatch({ paths, refuseAtPercent: config.journal.volumeRefuseAtPercent, log });
  operations.metrics.journal.watchVolume(volume);
  watchVolume(operations.readiness, volume);
  await volume.start();
  return volume;
}

/** Where not even a refusal is to be recorded, new exchanges are turned away as by a full journal. */
export function admittedBy(volume: { readonly isNearlyFull: boolean }, log: ExchangeLog): ExchangeLog {
  return {
    append: (parts, options) => log.append(parts, options),
    appendAll: (records, options) => log.appendAll(records, options),
    sync: () => log.sync(),
    admits: () => log.admits() && !volume.isNearlyFull,
  };
}
