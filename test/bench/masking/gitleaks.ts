import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { SkilltapeError } from '../../../extproc/errors.ts';
import { cachedTool, placeInCache } from '../../../extproc/tools/cache.ts';
import { runChild } from '../../../extproc/tools/child.ts';
import { failure, type PeerState, runAnalysis } from './peer.ts';
import { placesOf } from './quality.ts';

const sources = fileURLToPath(new URL('gitleaks/', import.meta.url));
const version = /gitleaks\/v8 v(\S+)/.exec(readFileSync(join(sources, 'go.mod'), 'utf8'))?.[1] ?? '';
const buildTimeoutMs = 15 * 60_000;
const result = z.object({ cpuSeconds: z.number().positive(), secrets: z.array(z.array(z.string())) });

/** Gitleaks from its Go module, in a program that reads documents as the other tools do. */
export async function gitleaks(env: NodeJS.ProcessEnv, progress: (line: string) => void): Promise<PeerState> {
  const target = cachedTool(env, 'bench-gitleaks', sourceHash());
  try {
    if (!existsSync(target)) {
      progress('building gitleaks into the tool cache (a minute or two, once)');
      await placeInCache(env, target, (folder) => build(join(folder, 'bench-gitleaks'), env));
    }
  } catch (error) {
    if (!(error instanceof SkilltapeError)) throw error;
    return { kind: 'missing', name: 'gitleaks', why: error.message };
  }
  const analyse = async (texts: readonly string[]) => {
    const { cpuSeconds, secrets } = result.parse(await runAnalysis(target, [], texts, env));
    return { cpuSeconds, spans: secrets.map((found, index) => placesOf(texts[index] ?? '', found)) };
  };
  return { kind: 'ready', peer: { name: 'gitleaks', version, analyse } };
}

function sourceHash(): string {
  const hash = createHash('sha256');
  for (const file of ['go.mod', 'go.sum', 'main.go']) hash.update(readFileSync(join(sources, file)));
  return hash.digest('hex').slice(0, 16);
}

async function build(binary: string, env: NodeJS.ProcessEnv): Promise<string> {
  const ended = await runChild('go', ['build', '-trimpath', '-buildvcs=false', '-o', binary, '.'], {
    // A user's flags or another target would fail the build.
    env: { ...env, CGO_ENABLED: '0', GOFLAGS: '-mod=readonly', GOOS: '', GOARCH: '', GOWORK: 'off' },
    timeoutMs: buildTimeoutMs,
    cwd: sources,
  });
  const why = failure(ended);
  if (why === undefined) return binary;
  throw new SkilltapeError('tool_missing', `go build failed (${why}); it needs Go 1.26 and a way to its module proxy`);
}
