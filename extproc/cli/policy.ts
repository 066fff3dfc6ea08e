import { relative } from 'node:path';
import { Command } from 'commander';
import { SkilltapeError } from '../errors.ts';
import { allFaults } from '../policy/all-faults.ts';
import { checkSources } from '../policy/check.ts';
import { compileSources } from '../policy/compile.ts';
import { createPolicyEngine } from '../policy/engine.ts';
import { invalid } from '../policy/opa.ts';
import { readSources } from '../policy/sources.ts';
import { sanitise } from '../terminal/sanitise.ts';
import { resolveTool } from '../tools/resolve.ts';
import { exitUsage } from './looking.ts';

const exitFaults = 1;

export type PolicyDependencies = {
  /** The configured one; asked for only when none is given. */
  policies(): { directory: string; evaluationMaxMs: number };
  write(text: string): void;
  setExitCode(code: number): void;
};

/** `skilltape policy`: what is wrong with the policies, before a processor has them. */
export function policyCommand(dependencies: PolicyDependencies): Command {
  const command = new Command('policy').description('check and test the policies');
  const named = (name: string, description: string, run: (directory: string | undefined) => Promise<void>) =>
    command
      .command(name)
      .description(description)
      .argument('[directory]', 'the folder with the policies, else the configured one')
      .addHelpText('after', '\nExit codes: 0 no fault, 1 faults, 2 the command line is wrong.')
      .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : exitUsage))
      .action((directory: string | undefined) => tellingFaults(dependencies, () => run(directory)));
  named('check', 'name every fault of rules and lists, with file, line and reason, in one pass', (directory) =>
    check(dependencies, directory),
  );
  named(
    'test',
    'check, run the tests that stand beside the rules, and try the policy with exchanges of every form',
    (directory) => test(dependencies, directory),
  );
  return command;
}

async function check({ policies, write }: PolicyDependencies, given: string | undefined): Promise<void> {
  const directory = given ?? policies().directory;
  const opaBinary = (await resolveTool('opa', { env: process.env })).path;
  const sources = await readSources(directory);
  const faults = await allFaults(sources, opaBinary);
  if (faults.length > 0) throw invalid(directory, faults);
  // What no single file is to blame for: a decision that is not there, a builtin that the evaluator lacks.
  await createPolicyEngine(await compileSources(sources, { opaBinary, directory }));
  write(`No fault in ${sources.compiled.size} files of ${shown(directory)}.\n`);
}

async function test({ policies, write }: PolicyDependencies, given: string | undefined): Promise<void> {
  const configured = given === undefined ? policies() : { directory: given, evaluationMaxMs: evaluationUsualMaxMs };
  const { directory, evaluationMaxMs } = configured;
  const opaBinary = (await resolveTool('opa', { env: process.env })).path;
  const sources = await readSources(directory);
  const { rehearsed } = await checkSources(sources, { opaBinary, directory, evaluationMaxMs });
  const tests = [...sources.tests.values()].reduce((sum, content) => sum + testsIn(content.toString('utf8')), 0);
  write(
    `No fault in ${sources.compiled.size} files of ${shown(directory)}; ${tests} tests passed; ` +
      `${rehearsed.cases} exchanges tried, the slowest in ${rehearsed.slowestMs.toFixed(1)} ms.\n`,
  );
}

const evaluationUsualMaxMs = 1_000;

function testsIn(rego: string): number {
  return rego.match(/^test_\w+/gm)?.length ?? 0;
}

function shown(directory: string): string {
  return relative(process.cwd(), directory) || directory;
}

/** Faults are what was asked for, one a line; every other failure is thrown on. */
async function tellingFaults({ write, setExitCode }: PolicyDependencies, run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (thrown) {
    if (!(thrown instanceof SkilltapeError) || thrown.code !== 'policy_invalid') throw thrown;
    const lines = thrown.message.split('\n');
    write(`${sanitise(thrown.message)}\n${lines.length === 1 ? '1 fault' : `${lines.length} faults`}.\n`);
    setExitCode(exitFaults);
  }
}
