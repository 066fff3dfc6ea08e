import { createProgram } from './cli/program.ts';
import { diskFault } from './disk-fault.ts';
import { SkilltapeError } from './errors.ts';
import { leaveWhenDone } from './leave.ts';
import { sanitise } from './terminal/sanitise.ts';
import { keepThreadHeapsSmall } from './thread-heaps.ts';

const exitUsage = 2;
const exitFailed = 1;

/** Commands end with 2 when the person who started them has to change something, and with 1 when skilltape failed. */
async function main(): Promise<void> {
  try {
    const program = await createProgram(process.argv.slice(2));
    await program.parseAsync();
  } catch (thrown) {
    const error = diskFault(thrown) ?? SkilltapeError.from(thrown);
    const remedy = error.remedy === undefined ? '' : `\n${error.remedy}`;
    process.stderr.write(`${sanitise(`${error.message}${remedy}`)}\n`);
    const isUsage = error.code === 'config_invalid' || error.code === 'usage' || error.code === 'policy_invalid';
    process.exitCode = isUsage ? exitUsage : exitFailed;
  }
}

keepThreadHeapsSmall();
leaveWhenDone();
await main();
