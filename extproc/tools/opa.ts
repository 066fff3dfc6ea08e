import { join } from 'node:path';
import { lastWords, runChild } from './child.ts';
import type { FetchContext, FetchResult } from './fetch.ts';
import { opaModule, pins } from './versions.ts';

const buildTimeoutMs = 30 * 60_000;

/** Builds OPA from its Go module; Go verifies the source against its checksum database. */
export async function fetchOpa(folder: string, context: FetchContext): Promise<FetchResult> {
  context.progress(`building OPA ${pins.opa.version} with go install (about 3 minutes, once)`);
  // A user's GOFLAGS (such as -mod=vendor) or cross-compiling target would fail the build or misplace the binary.
  const env = {
    ...context.env,
    GOBIN: folder,
    CGO_ENABLED: '0',
    GOFLAGS: '',
    GOOS: '',
    GOARCH: '',
  };
  const result = await runChild('go', ['install', `${opaModule}@v${pins.opa.version}`], {
    env,
    timeoutMs: buildTimeoutMs,
    cwd: folder,
    heartbeat: context.heartbeat('building OPA'),
  });
  switch (result.kind) {
    case 'absent':
      return { kind: 'failed', why: 'there is no go' };
    case 'broken':
      return { kind: 'failed', why: `go install failed: ${result.why}` };
    case 'ended':
      if (result.status === 0) return { kind: 'made', path: join(folder, 'opa') };
      return {
        kind: 'failed',
        why: `go install failed: ${lastWords(result.output)}`,
      };
  }
}
