import { basename } from 'node:path';
import type { Command } from 'commander';
import type { ArchiveReader } from '../archive/reader.ts';
import type { Config } from '../config/config.ts';
import type { ExchangeRecord } from '../exchange/record.ts';
import { decodeRecord } from '../exchange/record.ts';
import { loadJournalKey } from '../journal/key.ts';
import { nodeFileSystem } from '../journal/node-fs.ts';
import { journalDirectory, journalsIn } from '../journal/places.ts';
import { openJournalReader } from '../journal/reader.ts';
import { verifyJournal } from '../journal/verify.ts';
import type { Masker } from '../masking/masker.ts';
import { sanitisedJson } from '../terminal/sanitise.ts';
import type { LookingDependencies } from './looking.ts';
import { exitNothingFound, lookingCommand, recordLook, tellingUsage } from './looking.ts';

const exitDamaged = 3;

type Flags = { check?: true; why?: string };

/** `skilltape dump`: what the journal holds, masked; bodies are told by size, never shown (inv. 6). */
export function dumpCommand(
  dependencies: LookingDependencies,
  program: { config: () => Config; masker: () => Masker; archive: () => ArchiveReader },
): Command {
  return lookingCommand('dump', dependencies)
    .description(
      'list the records of the journal, one JSON document per line; bodies by size. Of one exchange also from the archive',
    )
    .argument('[exchange]', 'only the records of this exchange')
    .option('--check', 'check every segment for damage instead; takes no lock, works on a copy')
    .addHelpText('after', `             ${exitDamaged} --check found damage.`)
    .action((exchange: string | undefined, flags: Flags) =>
      tellingUsage(dependencies, async () => {
        const config = program.config();
        recordLook(dependencies, 'dump', exchange ?? (flags.check ? 'check' : 'all'), flags.why);
        const key = await loadJournalKey(config.journal.keyFile);
        const workers = await journalsIn(config.dataDirectory);
        const directories = workers.map((worker) => journalDirectory(config.dataDirectory, worker));
        if (flags.check) await check(dependencies, directories, key);
        else {
          const masker = program.masker();
          const found = await list(dependencies, directories, key, exchange, masker);
          const isThere =
            found ||
            (exchange !== undefined && (await listArchived(dependencies, program.archive(), exchange, masker)));
          if (!isThere) tellNothing(dependencies);
        }
      }),
    );
}

async function check(
  dependencies: LookingDependencies,
  directories: readonly string[],
  key: Uint8Array,
): Promise<void> {
  for (const directory of directories) {
    const result = await verifyJournal(directory, key);
    dependencies.write(`${sanitisedJson({ journal: basename(directory), ...result })}\n`);
    if (result.status === 'corrupt') dependencies.setExitCode(exitDamaged);
  }
}

async function list(
  dependencies: LookingDependencies,
  directories: readonly string[],
  key: Uint8Array,
  exchange: string | undefined,
  masker: Masker,
): Promise<boolean> {
  let found = 0;
  for (const directory of directories) {
    await using opened = new AsyncDisposableStack();
    const reader = openJournalReader({ directory, fileSystem: nodeFileSystem, key });
    opened.defer(() => reader.close());
    for await (const { position, payload } of reader.read(null)) {
      const record = decodeRecord(payload);
      if (exchange !== undefined && record.exchangeId !== exchange) continue;
      found += 1;
      const { value } = masker.json(JSON.parse(JSON.stringify(shown(record))), { scope: record.exchangeId });
      dependencies.write(`${sanitisedJson({ journal: basename(directory), position, ...Object(value) })}\n`);
    }
  }
  return found > 0;
}

async function listArchived(
  dependencies: LookingDependencies,
  archive: ArchiveReader,
  exchange: string,
  masker: Masker,
): Promise<boolean> {
  try {
    const outcome = await archive.read(exchange);
    if (outcome.kind === 'absent') return false;
    if (outcome.kind === 'unopened') {
      const { kind } = outcome.why;
      dependencies.write(`${sanitisedJson({ archive: outcome.at, exchange, kind })}\n`);
      return true;
    }
    for await (const payload of outcome.exchange.records()) {
      const { value } = masker.json(JSON.parse(JSON.stringify(shown(decodeRecord(payload)))), { scope: exchange });
      dependencies.write(`${sanitisedJson({ archive: outcome.exchange.at, ...Object(value) })}\n`);
    }
    return true;
  } finally {
    await archive.close();
  }
}

function tellNothing(dependencies: LookingDependencies): void {
  dependencies.writeError('Neither journal nor archive has such a record.\n');
  dependencies.setExitCode(exitNothingFound);
}

function shown(record: ExchangeRecord): object {
  const base = { exchange: record.exchangeId, time: new Date(record.timeMs).toISOString(), kind: record.kind };
  switch (record.kind) {
    case 'request_body':
    case 'answer_body':
    case 'answer_changed':
      return { ...base, bytes: record.bytes.length };
    default: {
      const { exchangeId: _, timeMs: __, kind: ___, ...rest } = record;
      return { ...base, ...rest };
    }
  }
}
