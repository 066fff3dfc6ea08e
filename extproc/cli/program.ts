import { Command } from 'commander';
import type { Config } from '../config/config.ts';
import { nodeFileSystem } from '../journal/node-fs.ts';
import { exitUsage } from './looking.ts';
import { serveCommand } from './serve.ts';
import { configOf } from './settings.ts';
import { version } from './version.ts';

/** The command line for these arguments. Configuration is read only when a command needs it. */
export async function createProgram(args: readonly string[]): Promise<Command> {
  const program = new Command('skilltape')
    .description('Records, judges and indexes Claude traffic behind Envoy.')
    .option('--config <file>', 'skilltape.yaml (else SKILLTAPE_CONFIG, ./skilltape.yaml, or what `skilltape up` made)')
    .version(version());
  let loaded: Config | undefined;
  const configFile = () => program.opts<{ config?: string }>().config;
  const config = (): Config => {
    loaded ??= configOf(configFile(), process.env);
    return loaded;
  };
  const serve = serveCommand(config, nodeFileSystem, configFile);
  for (const command of await commandsFor(commandIn(args), serve, { config, configFile })) program.addCommand(command);
  // Left alone, commander ends with 1 for a mistake on the command line.
  for (const command of [program, ...program.commands]) {
    command.exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : exitUsage));
  }
  return program;
}

/** The first word that is neither an option nor the value of one. */
function commandIn(args: readonly string[]): string | undefined {
  return args.find((arg, at) => !arg.startsWith('-') && args[at - 1] !== '--config');
}

/**
 * `serve` runs for weeks, and what the other commands load would be half of its heap; `token` is asked for before a client's
 * requests, and must not load what it has no use for.
 */
async function commandsFor(
  name: string | undefined,
  serve: Command,
  { config, configFile }: { config: () => Config; configFile: () => string | undefined },
): Promise<Command[]> {
  if (name === 'serve') return [serve];
  if (name === 'token') {
    const { tokenCommandOf } = await import('./token.ts');
    return [tokenCommandOf(process)];
  }
  const { commandsBeside } = await import('./commands.ts');
  return commandsBeside(serve, config, configFile);
}
