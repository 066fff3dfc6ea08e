import { basename } from 'node:path';
import type { Command } from 'commander';
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
  program: { config: () => Config; masker: () => Masker },
): Command {
  return lookingCommand('dump', dependencies)
    .description('list the records of the journal, one JSON document per line; bodies by size')
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
        else await list(dependencies, directories, key, exchange, program.masker());
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
): Promise<void> {
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
  if (found > 0) return;
  dependencies.writeError('The journal has no such record. Older ones may only be in the index: try search or show.\n');
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
