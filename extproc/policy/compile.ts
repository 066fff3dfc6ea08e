/** Compiles a policy directory with OPA into a module that is evaluated in this process. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { SkilltapeError } from '../errors.ts';
import { entrypointOf, type PolicyBundle, readBundle, stages } from './bundle.ts';
import { detectorsIn } from './detectors-list.ts';
import { mayLookAtFindings } from './findings-use.ts';
import { type LayoutFault, layoutFaults } from './layout.ts';
import { schemaFiles } from './schemas.ts';
import { type PolicySources, readSources, revisionOf } from './sources.ts';

const opaTimeoutMs = 60_000;
const opaOutputMaxBytes = 1024 * 1024;

/**
 * Checks and compiles the policies of a directory. Tests are left out.
 * @throws SkilltapeError `policy_invalid` with file, line and reason; `tool_missing` when OPA cannot be run
 */
export async function compilePolicies(options: { opaBinary: string; directory: string }): Promise<PolicyBundle> {
  const { opaBinary, directory } = options;
  const sources = await readSources(directory);
  const faults = layoutFaults(sources.compiled);
  if (faults.length > 0) throw invalid(faults.map((fault) => inDirectory(directory, fault)));
  const staging = await mkdtemp(join(tmpdir(), 'skilltape-policy-'));
  try {
    const capabilities = await stage(staging, sources);
    await check(opaBinary, staging, capabilities, directory);
    const archive = await build(opaBinary, staging, capabilities, directory);
    const looksAtFindings = mayLookAtFindings(sources.compiled);
    const { wasm, data } = await readBundle(archive);
    return { wasm, data, revision: revisionOf(sources), looksAtFindings, detectors: detectorsIn(data) };
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

/** Writes what was read into a private folder: OPA sees the bytes that were hashed, whatever the directory does. */
async function stage(staging: string, sources: PolicySources): Promise<string[]> {
  await writeTree(join(staging, 'sources'), sources.compiled);
  await writeTree(join(staging, 'schemas'), schemaFiles());
  if (sources.capabilities === null) return [];
  await writeFile(join(staging, 'capabilities.json'), sources.capabilities);
  return ['--capabilities', join(staging, 'capabilities.json')];
}

async function writeTree(folder: string, files: ReadonlyMap<string, Buffer | string>): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [path, content] of files) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
}

async function check(opaBinary: string, staging: string, capabilities: string[], directory: string): Promise<void> {
  const args = ['check', '--strict', '--bundle', '--format', 'json', '--schema', join(staging, 'schemas')];
  const result = await runOpa(opaBinary, [...args, ...capabilities, '.'], staging);
  if (result.ok) return;
  const faults = faultsOf(result.output);
  throw invalid(
    faults.length > 0 ? faults.map((fault) => inDirectory(directory, fault)) : [`${directory}: ${result.output}`],
  );
}

/** No `-O`: the optimiser of OPA 1.22 fails on the wasm target. */
async function build(opaBinary: string, staging: string, capabilities: string[], directory: string): Promise<string> {
  const archive = join(staging, 'bundle.tar.gz');
  const entrypoints = stages.flatMap((stage) => ['--entrypoint', entrypointOf(stage)]);
  const args = ['build', '--bundle', '--target', 'wasm', '--prune-unused', ...capabilities, ...entrypoints];
  const result = await runOpa(opaBinary, [...args, '--output', archive, '.'], staging);
  if (!result.ok) throw invalid([`${directory}: ${result.output}`]);
  return archive;
}

type OpaResult = { ok: true } | { ok: false; output: string };

function runOpa(opaBinary: string, args: readonly string[], staging: string): Promise<OpaResult> {
  const options = {
    cwd: join(staging, 'sources'),
    env: { HOME: staging, TMPDIR: staging },
    timeout: opaTimeoutMs,
    killSignal: 'SIGKILL' as const,
    maxBuffer: opaOutputMaxBytes,
  };
  return new Promise((resolve, reject) => {
    execFile(opaBinary, args, options, (error, stdout, stderr) => {
      if (error === null) return resolve({ ok: true });
      if (typeof error.code === 'number') return resolve({ ok: false, output: (stderr || stdout).trim() });
      const why = error.killed === true ? `gave no answer within ${opaTimeoutMs} ms` : 'cannot be run';
      reject(new SkilltapeError('tool_missing', `${opaBinary} ${why}`, { cause: error }));
    });
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
    path: String(error.location?.file ?? ''),
    line: Number(error.location?.row ?? 0),
    reason: String(error.message),
  }));
}

function inDirectory(directory: string, { path, line, reason }: LayoutFault): string {
  return path === '' ? `${directory}: ${reason}` : `${join(directory, path)}:${line}: ${reason}`;
}

function invalid(faults: readonly string[]): SkilltapeError {
  return new SkilltapeError('policy_invalid', faults.join('\n'));
}
