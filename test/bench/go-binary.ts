import { createHash } from 'node:crypto';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SkilltapeError } from '../../extproc/errors.ts';
import { cachedTool, placeInCache } from '../../extproc/tools/cache.ts';
import { lastWords, runChild } from '../../extproc/tools/child.ts';

const sources = fileURLToPath(new URL('go/', import.meta.url));
const buildTimeoutMs = 15 * 60_000;

/** The Go program of the benchmark, built into the tool cache when its sources are new. */
export async function goBinary(env: NodeJS.ProcessEnv, progress: (line: string) => void): Promise<string> {
  const target = cachedTool(env, 'bench', sourceHash());
  if (existsSync(target)) return target;
  progress('building the Go parts of the benchmark (a minute, once)');
  await placeInCache(env, target, (folder) => build(join(folder, 'bench'), env));
  return target;
}

function sourceHash(): string {
  const hash = createHash('sha256');
  for (const file of globSync('*', { cwd: sources }).toSorted()) {
    hash
      .update(`${file}\0`)
      .update(readFileSync(join(sources, file)))
      .update('\0');
  }
  return hash.digest('hex').slice(0, 16);
}

async function build(binary: string, env: NodeJS.ProcessEnv): Promise<string> {
  const result = await runChild('go', ['build', '-trimpath', '-buildvcs=false', '-o', binary, '.'], {
    // A user's flags or another target would fail the build.
    env: { ...env, CGO_ENABLED: '0', GOFLAGS: '-mod=readonly', GOOS: '', GOARCH: '', GOWORK: 'off' },
    timeoutMs: buildTimeoutMs,
    cwd: sources,
  });
  if (result.kind === 'ended' && result.status === 0) return binary;
  const why =
    result.kind === 'absent'
      ? 'there is no go on PATH'
      : `go build failed: ${result.kind === 'broken' ? result.why : lastWords(result.output)}`;
  throw new SkilltapeError(
    'tool_missing',
    `The benchmark's load generator, upstream and empty processor are Go programs, and ${why}: ` +
      'install Go 1.26 or newer with a way to its module proxy.',
  );
}
