import { renameSync, writeFileSync } from 'node:fs';
import { Command } from 'commander';
import type { Config } from '../config/config.ts';
import { envoyPlanOf } from '../envoy/plan.ts';
import { renderEnvoy } from '../envoy/render.ts';
import { SkilltapeError } from '../errors.ts';
import { exitUsage } from './looking.ts';

/** `skilltape envoy`: the configuration of Envoy that belongs to skilltape.yaml. */
export function envoyCommand(config: () => Config, write: (text: string) => void): Command {
  const envoy = new Command('envoy').description('the configuration of Envoy that belongs to skilltape.yaml');
  envoy
    .command('render')
    .description('print the whole configuration: listener, identity providers, connections, credentials')
    .option('--out <file>', 'write it into this file instead, by a rename')
    .addHelpText('after', '\nExit codes: 0 done, 2 the configuration or something given is wrong.')
    // Left alone, commander ends with 1 for a mistake on the command line.
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : exitUsage))
    .action(({ out }: { out?: string }) => {
      const text = renderEnvoy(envoyPlanOf(config()));
      if (out === undefined) write(text);
      else writeWhole(out, text);
    });
  return envoy;
}

/** An Envoy that starts meanwhile reads the old file or the new one. It holds no secret: those stand in SDS files. */
function writeWhole(file: string, text: string): void {
  try {
    writeFileSync(`${file}.new`, text);
    renameSync(`${file}.new`, file);
  } catch (cause) {
    throw new SkilltapeError('usage', `${file} cannot be written: ${SkilltapeError.from(cause).message}`, {
      cause,
      remedy: 'name a file in a folder that you may write',
    });
  }
}
