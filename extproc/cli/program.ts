import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import type { Config } from '../config/config.ts';
import { nodeFileSystem } from '../journal/node-fs.ts';
import { currentOperator } from '../looks/operator.ts';
import { SqliteLookLog } from '../looks/sqlite-look-log.ts';
import { Masker } from '../masking/masker.ts';
import { coverageCommand } from './coverage.ts';
import { dumpCommand } from './dump.ts';
import { coverageLookOf, openIndexOf, rejectsOf } from './index-of.ts';
import { indexCommand } from './index-setup.ts';
import { kibanaCommand } from './kibana.ts';
import { exitUsage, type LookingDependencies } from './looking.ts';
import { looksCommand } from './looks.ts';
import { maskCommand } from './mask.ts';
import { rejectsCommand } from './rejects.ts';
import { searchCommand } from './search.ts';
import { serveCommand } from './serve.ts';
import { configOf } from './settings.ts';
import { showCommand } from './show.ts';
import { tokenCommand } from './token.ts';
import { upCommand } from './up.ts';
import { usageCommand } from './usage.ts';

/** The whole command line. Configuration is read only when a command needs it. */
export function createProgram(): Command {
  const program = new Command('skilltape')
    .description('Records, judges and indexes Claude traffic behind Envoy.')
    .option('--config <file>', 'skilltape.yaml (else SKILLTAPE_CONFIG, ./skilltape.yaml, or what `skilltape up` made)')
    .version(version());
  let loaded: Config | undefined;
  const config = (): Config => {
    loaded ??= configOf(program.opts<{ config?: string }>().config, process.env);
    return loaded;
  };
  const masker = (): Masker => new Masker({ key: readFileSync(join(config().dataDirectory, 'keys', 'hash.key')) });
  const looking = lookingDependencies(config, masker);
  const write = (text: string) => process.stdout.write(text);
  program
    .addCommand(upCommand(write))
    .addCommand(serveCommand(config, nodeFileSystem))
    .addCommand(searchCommand(looking))
    .addCommand(showCommand(looking))
    .addCommand(dumpCommand(looking, { config, masker }))
    .addCommand(usageCommand(looking, { pricesFile: () => config().usage.pricesFile }))
    .addCommand(coverageCommand(looking, coverageLookOf(config)))
    .addCommand(looksCommand(looking))
    .addCommand(rejectsCommand(looking, rejectsOf(config)))
    .addCommand(indexCommand(config, looking))
    .addCommand(kibanaCommand({ write, writeError: (text) => process.stderr.write(text) }))
    .addCommand(maskCommand({ input: process.stdin, write: writeOut }))
    .addCommand(tokenCommand(write));
  // Left alone, commander ends with 1 for a mistake on the command line.
  for (const command of [program, ...program.commands]) {
    command.exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : exitUsage));
  }
  return program;
}

function lookingDependencies(config: () => Config, masker: () => Masker): LookingDependencies {
  let lookLog: SqliteLookLog | undefined;
  return {
    openIndex: async () => openIndexOf(config()),
    get lookLog() {
      lookLog ??= new SqliteLookLog(config().dataDirectory);
      return lookLog;
    },
    operator: currentOperator(),
    maskQuery: (text) => masker().text(text, 'look').value,
    write: writeOut,
    writeError: (text) => process.stderr.write(text),
    setExitCode: (code) => {
      process.exitCode = code;
    },
    exit: (code) => process.exit(code),
    color: process.stdout.isTTY === true && process.env.NO_COLOR === undefined,
    width: process.stdout.columns ?? 100,
    now: () => new Date(),
  };
}

/** A reader that has seen enough, such as `head`, ends the command; nothing is wrong then. */
function writeOut(text: string): void {
  if (process.stdout.listenerCount('error') === 0) {
    process.stdout.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit();
      throw error;
    });
  }
  process.stdout.write(text);
}

function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  return String((manifest as { version?: string }).version);
}
