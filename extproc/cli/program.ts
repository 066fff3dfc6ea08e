import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import type { Config } from '../config/config.ts';
import { SqliteSearch } from '../index/sqlite/search.ts';
import { nodeFileSystem } from '../journal/node-fs.ts';
import { currentOperator } from '../looks/operator.ts';
import { SqliteLookLog } from '../looks/sqlite-look-log.ts';
import { Masker } from '../masking/masker.ts';
import { dumpCommand } from './dump.ts';
import { exitUsage, type LookingDependencies } from './looking.ts';
import { looksCommand } from './looks.ts';
import { searchCommand } from './search.ts';
import { serveCommand } from './serve.ts';
import { configOf } from './settings.ts';
import { showCommand } from './show.ts';
import { tokenCommand } from './token.ts';
import { upCommand } from './up.ts';

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
    .addCommand(looksCommand(looking))
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
    openIndex: () => SqliteSearch.open(config().dataDirectory),
    get lookLog() {
      lookLog ??= new SqliteLookLog(config().dataDirectory);
      return lookLog;
    },
    operator: currentOperator(),
    maskQuery: (text) => masker().text(text, 'look').value,
    write: (text) => process.stdout.write(text),
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

function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  return String((manifest as { version?: string }).version);
}
