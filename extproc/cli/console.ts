import { Command } from 'commander';
import type { Config } from '../config/config.ts';
import { createLog, endOnFault } from '../log.ts';
import type { Masker } from '../masking/masker.ts';

/** `skilltape console`: where people decide, until a signal ends it. */
export function consoleCommand(config: () => Config, masker: () => Masker): Command {
  return new Command('console')
    .description('serve the pages and the API on which people see and decide what is held')
    .addHelpText(
      'after',
      '\nNeeds the section console of the configuration, see docs/console.md.\nExit codes: 0 ended by a signal, 1 failed, 2 the configuration or command line is wrong.',
    )
    .action(async () => {
      const log = createLog(config().log.level);
      endOnFault(log, () => process.exit(1));
      // The framework and what it stands on: no other command needs them.
      const { openConsole } = await import('./console-of.ts');
      const served = await openConsole(config(), masker, log);
      const signal = await new Promise<string>((resolve) => {
        for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => resolve(name));
      });
      log.info({ signal }, 'the console ends');
      await served.close();
    });
}
