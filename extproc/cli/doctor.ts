import { existsSync, readFileSync, statfsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { Command } from 'commander';
import { loadConfig } from '../config/load.ts';
import { allRules, examine } from '../doctor/examine.ts';
import type { Proof } from '../doctor/live/prove.ts';
import { gatewayOf } from '../doctor/model.ts';
import type { Finding } from '../doctor/rule.ts';
import { examineSetup, setupRules } from '../doctor/setup.ts';
import { parseSource, readSource, type Source } from '../doctor/source.ts';
import { sanitise, sanitisedJson, sanitiseLine } from '../terminal/sanitise.ts';
import { type Style, styleFor } from '../terminal/style.ts';
import { resolveTool } from '../tools/resolve.ts';
import { usedShare, useOf } from '../volume.ts';
import { exitUsage } from './looking.ts';

const exitTraps = 1;

type Output = { write(text: string): void; setExitCode(code: number): void; color: boolean };
type Environment = Readonly<Record<string, string | undefined>>;
type Flags = { json?: true; live?: true };

/**
 * `skilltape doctor`: names the traps of an Envoy configuration.
 * @param configFile what `--config` said
 */
export function doctorCommand(output: Output, configFile: () => string | undefined, env: NodeJS.ProcessEnv): Command {
  return new Command('doctor')
    .description('name each trap of an Envoy configuration, with the line to change')
    .argument('<envoy-config>', "Envoy's bootstrap file or a config dump, YAML or JSON; - is standard input")
    .option('--live', 'also start an Envoy of its own with it, break the way to the processor, and see that it refuses')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExit codes: 0 no trap, 1 traps, 2 something given is wrong or cannot be read.')
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : exitUsage))
    .action((file: string, flags: Flags) => diagnose(file, flags, output, { named: configFile(), env }));
}

async function diagnose(
  file: string,
  flags: Flags,
  output: Output,
  configuration: { named: string | undefined; env: NodeJS.ProcessEnv },
): Promise<void> {
  const source = file === '-' ? parseSource(readFileSync(0, 'utf8'), 'standard input') : readSource(file);
  const configFile = besideFile(file, configuration);
  const found = [
    ...examine(source),
    ...(configFile === undefined ? [] : compared(source, configFile, configuration.env)),
  ];
  const files = [source.file, ...(configFile === undefined ? [] : [configFile])];
  const live = flags.live ? await prove(source, configuration.env) : null;
  const style = styleFor(output.color);
  if (flags.json) output.write(`${sanitisedJson({ files, traps: found, live })}\n`);
  else output.write(`${report(found, files, style)}${live === null ? '' : liveReport(live, style)}`);
  const isTrapped = found.some(({ severity }) => severity !== 'note');
  if (isTrapped || live?.some((proof) => isFailed(proof))) output.setExitCode(exitTraps);
}

/** Loaded when it is asked for: other commands need neither Envoy nor keys. */
async function prove(source: Source, env: NodeJS.ProcessEnv): Promise<Proof[]> {
  const [{ prove: proveWith }, { path: binary }] = await Promise.all([
    import('../doctor/live/prove.ts'),
    resolveTool('envoy', { env }),
  ]);
  return proveWith(gatewayOf(source.root), { binary });
}

/** A processor that does not run is nothing that the configuration could help; every other case has to be proven. */
function isFailed({ name, outcome }: Proof): boolean {
  return outcome === 'failed' || (outcome === 'unproven' && name !== 'processor-answers');
}

function liveReport(proofs: readonly Proof[], style: Style): string {
  const lines = proofs.map(({ name, outcome, detail }) => {
    const word = outcome === 'proven' ? outcome : style.warn(outcome);
    return `  ${style.bold(name)}: ${word}, ${sanitiseLine(detail)}\n`;
  });
  return `\nWith an Envoy of its own:\n${lines.join('')}`;
}

function besideFile(file: string, { named, env }: { named: string | undefined; env: Environment }): string | undefined {
  const chosen = named ?? env.SKILLTAPE_CONFIG;
  if (chosen !== undefined && chosen !== '') return resolve(chosen);
  const beside = file === '-' ? 'skilltape.yaml' : join(dirname(file), 'skilltape.yaml');
  return existsSync(beside) ? beside : undefined;
}

function compared(envoySource: Source, configFile: string, env: Environment): Finding[] {
  const config = loadConfig(configFile, env);
  return examineSetup({
    config,
    configSource: readSource(configFile),
    envoySource,
    gateway: gatewayOf(envoySource.root),
    volumeUsedShare: existsSync(config.dataDirectory) ? usedShare(useOf(statfsSync(config.dataDirectory))) : null,
  });
}

function report(found: readonly Finding[], files: readonly string[], style: Style): string {
  const traps = found.filter(({ severity }) => severity !== 'note').length;
  const looked = files.length > 1 ? allRules.length + setupRules.length : allRules.length;
  const count = traps === 0 ? 'No trap' : traps === 1 ? '1 trap' : `${traps} traps`;
  const compared = files.length > 1 ? '' : ' No skilltape.yaml was compared with it.';
  const summary = `${count} in ${files.join(' and ')}; ${looked} were looked for.${compared} docs/doctor.md explains each.`;
  return `${[...found.map((finding) => entry(finding, style)), `${sanitiseLine(summary)}\n`].join('\n')}`;
}

function entry(
  { file, line, severity, id, title, found, path, why, invariants, change }: Finding,
  style: Style,
): string {
  const broken = invariants.length === 0 ? '' : ` (${invariants.map((number) => `inv. ${number}`).join(', ')})`;
  const head = `${sanitiseLine(`${file}:${line}`)} ${style.warn(severity)} ${style.bold(id)}: ${title}`;
  const lines = [
    `found   ${sanitiseLine(found)}`,
    `at      ${sanitiseLine(path || 'the file')}`,
    `why     ${why}${broken}`,
    `change  ${sanitiseLine(change)}`,
  ];
  return `${head}\n${lines.map((text) => `  ${sanitise(text)}\n`).join('')}`;
}
