import { Command } from 'commander';

type UpFlags = { once?: boolean; port: string; consolePort: string };

/** `skilltape up`: everything on this machine, with a tour of four exchanges through the real path. */
export function upCommand(write: (text: string) => void): Command {
  return new Command('up')
    .description(
      'bring up Envoy, processor, index, a demo identity provider and a fake Claude, and send four exchanges',
    )
    .option('--once', 'end after the four exchanges; keeps nothing')
    .option('--port <port>', 'port of the gateway (0: any free one; with --once always)', '8443')
    .option('--console-port <port>', 'port of the console, where people decide (0: any free one)', '8480')
    .addHelpText(
      'after',
      '\nWith ANTHROPIC_API_KEY set, the upstream is the real Claude API.\nExit codes: 0 all went as expected, 1 not.',
    )
    .action(async ({ once = false, port, consolePort }: UpFlags) => {
      // Loaded only here: an installation for production has neither the fakes nor the packages that they need.
      const { up } = await import('../demo/up.ts');
      await up({ once, port, consolePort }, write);
    });
}
