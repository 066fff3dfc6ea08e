/** Names everything that is wrong with the files of a policy in one pass: OPA stops at the first kind of fault. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stages } from './bundle.ts';
import { type LayoutFault, layoutFaults } from './layout.ts';
import { runOpa, writeTree } from './opa.ts';
import { schemaFiles } from './schemas.ts';
import { silentFaults } from './silent-faults.ts';
import type { PolicySources } from './sources.ts';

/** How often OPA is asked, each time without the files that it found faulty before. */
const roundsMax = 40;
const opaErrorsMax = 1_000;

/** In the order of files and lines; none when the policy can be compiled as far as its files tell. */
export async function allFaults(sources: PolicySources, opaBinary: string): Promise<LayoutFault[]> {
  const { compiled } = sources;
  const faults = [...layoutFaults(compiled), ...silentFaults(compiled), ...decisionFaults(compiled)];
  const staging = await mkdtemp(join(tmpdir(), 'skilltape-policy-check-'));
  try {
    await writeTree(join(staging, 'schemas'), schemaFiles());
    const place = { opaBinary, staging };
    faults.push(...(await rounds(sources, place)));
    // What the files say against one another is seen when they are read together.
    if (faults.length === 0) faults.push(...(await checked(sources.compiled, sources.capabilities, place)));
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
  return distinct(faults).sort((a, b) => compare(a.path, b.path) || a.line - b.line || compare(a.reason, b.reason));
}

type Place = { opaBinary: string; staging: string };

/**
 * What cannot be parsed hides the faults of what can, and a fault of one kind those of the next: each round leaves out the
 * files whose faults are known.
 */
async function rounds(sources: PolicySources, place: Place): Promise<LayoutFault[]> {
  const faults: LayoutFault[] = [];
  // Data that cannot be read was told already; without it the rest can be checked.
  const left = new Map([...sources.compiled].filter(([path]) => path.endsWith('.rego')));
  const removed = new Set<string>();
  for (let round = 0; round < roundsMax && left.size > 0; round += 1) {
    await rm(join(place.staging, 'sources'), { recursive: true, force: true });
    const found = await checked(left, sources.capabilities, place);
    const files = new Set(found.map(({ path }) => path).filter((path) => left.has(path)));
    for (const fault of found) {
      const missing = missingPackage(fault.reason);
      if (missing === null || !removed.has(missing)) faults.push(fault);
      else for (const path of usersOf(missing, left)) files.add(path);
    }
    if (files.size === 0) break;
    for (const path of files) {
      left.delete(path);
      removed.add(packageOf(path));
    }
  }
  return faults;
}

/** A function of a file that was left out is missing for that alone; whoever uses it is checked when it is mended. */
function missingPackage(reason: string): string | null {
  return /^undefined function (data\.[\w.]+)\.\w+$/.exec(reason)?.[1] ?? null;
}

function usersOf(name: string, files: ReadonlyMap<string, Buffer>): string[] {
  return [...files].filter(([, content]) => content.includes(name)).map(([path]) => path);
}

function packageOf(path: string): string {
  return ['data', 'skilltape', ...path.split('/').slice(0, -1)].join('.');
}

async function checked(
  files: ReadonlyMap<string, Buffer>,
  capabilities: Buffer | null,
  place: Place,
): Promise<LayoutFault[]> {
  await writeTree(join(place.staging, 'sources'), files);
  if (capabilities === null) return checkStaged(files, [], place);
  const file = join(place.staging, 'capabilities.json');
  await writeFile(file, capabilities);
  return checkStaged(files, ['--capabilities', file], place);
}

/** OPA's own check of files that stand in `staging`: syntax, types by the schemas, builtins by the capabilities. */
export async function checkStaged(
  files: ReadonlyMap<string, Buffer>,
  capabilities: readonly string[],
  { opaBinary, staging }: Place,
): Promise<LayoutFault[]> {
  const form = ['--format', 'json', '--max-errors', String(opaErrorsMax)];
  const args = ['check', '--strict', '--bundle', ...form, '--schema', join(staging, 'schemas'), ...capabilities, '.'];
  const result = await runOpa(opaBinary, args, staging);
  if (result.ok) return [];
  const faults = faultsOf(result.output).map((fault) => (fault.path === '' ? located(fault, files) : fault));
  return faults.length > 0 ? faults : [{ path: '', line: 0, reason: result.output }];
}

/** Inside of a template string OPA does not say where a function is called that there is none of. */
function located(fault: LayoutFault, files: ReadonlyMap<string, Buffer>): LayoutFault {
  const [, name = ''] = /^undefined function (?:[\w.]+\.)?(\w+)$/.exec(fault.reason) ?? [];
  if (name === '') return fault;
  for (const [path, content] of files) {
    const at = content
      .toString('utf8')
      .split('\n')
      .findIndex((line) => line.includes(`${name}(`));
    if (at >= 0) return { ...fault, path, line: at + 1 };
  }
  return fault;
}

/** Each decision is a package of its own; without it nothing is judged. */
function decisionFaults(compiled: ReadonlyMap<string, Buffer>): LayoutFault[] {
  const paths = [...compiled.keys()];
  return stages.flatMap((stage) => {
    if (paths.some((path) => path.startsWith(`${stage}/`) && path.endsWith('.rego'))) return [];
    const file = `${stage}/${stage}.rego`;
    return [{ path: file, line: 1, reason: `is missing: it has the decision skilltape/${stage}/decision` }];
  });
}

/** OPA's own list of errors; none when it failed before it looked at the files one by one. */
function faultsOf(output: string): LayoutFault[] {
  let report: unknown;
  try {
    report = JSON.parse(output);
  } catch {
    return [];
  }
  const errors: unknown = (report as { errors?: unknown } | null)?.errors;
  if (!Array.isArray(errors)) return [];
  return errors.map((error: { message?: unknown; location?: { file?: unknown; row?: unknown } }) => ({
    path: String(error.location?.file ?? '').replace(/^\.?\//, ''),
    line: Number(error.location?.row ?? 0),
    reason: String(error.message),
  }));
}

function distinct(faults: readonly LayoutFault[]): LayoutFault[] {
  return [...new Map(faults.map((fault) => [`${fault.path}\n${fault.line}\n${fault.reason}`, fault])).values()];
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
