import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { resolveTool } from '../../extproc/tools/resolve.ts';
import { temporaryDirectory } from '../builders/directory.ts';
import type { SmallDisk } from '../environment/small-disk.ts';
import { mountSmallDisk, noSmallDisk } from '../environment/small-disk.ts';

const MiB = 1024 * 1024;
const fromRoot = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const skip = noSmallDisk() ?? false;

const faults = [
  { name: 'full', reason: 'no space left on the disk', remedy: 'Make room', put: (disk: SmallDisk) => disk.fill() },
  {
    name: 'read-only',
    reason: 'the file system is read-only',
    remedy: 'Mount it for writing',
    put: (disk: SmallDisk) => disk.setReadOnly(true),
  },
] as const;

for (const workers of [1, 2]) {
  for (const { name, reason, remedy, put } of faults) {
    for (const begun of [false, true]) {
      const when = begun ? 'a later start' : 'the first start';
      test(`${when} on a ${name} disk, workers: ${workers}: says which file, why and what to do, and ends`, {
        skip,
      }, async (t) => {
        const disk = mountSmallDisk(8 * MiB);
        t.after(() => disk.unmount());
        const serve = await serveOn(t, disk.path, workers);
        if (begun) await serve({ killWhenRecording: true });
        put(disk);
        const { code, stderr } = await serve({ killWhenRecording: false });
        assert.equal(code, 1, stderr);
        const [said = '', advice = ''] = stderr.trimEnd().split('\n').slice(-2);
        assert.ok(said.includes(`${disk.path}/data/`), said);
        assert.ok(said.includes(reason), said);
        assert.ok(advice.startsWith(remedy), advice);
      });
    }
  }
}

/** Starts a processor whose data are on this disk, and gives how it ended. */
async function serveOn(t: TestContext, disk: string, workers: number) {
  const directory = temporaryDirectory(t);
  const socket = join(directory, 'extproc.sock');
  const configFile = join(directory, 'skilltape.yaml');
  const config = {
    dataDirectory: join(disk, 'data'),
    workers,
    listen: { socket },
    identityProviders: { idp: { issuer: 'https://idp.example.com' } },
    connections: { claude: { identityProviders: ['idp'] } },
    policies: { directory: fromRoot('policies') },
    operations: { enabled: false },
  };
  writeFileSync(configFile, JSON.stringify(config), { mode: 0o600 });
  const opa = await resolveTool('opa', { env: process.env });
  const args = [fromRoot('extproc/main.ts'), 'serve', '--config', configFile];
  return ({ killWhenRecording }: { killWhenRecording: boolean }) =>
    new Promise<{ code: number | string | null; stderr: string }>((resolve) => {
      const env = { ...process.env, OPA_BIN: opa.path };
      const child = spawn(process.execPath, args, { env, detached: true, timeout: 60_000 });
      let stderr = '';
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        stderr += text;
        const recording = stderr.split('"msg":"recording"').length - 1;
        // The whole group: a worker that is left would go on for a while.
        if (killWhenRecording && recording === workers && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      });
      child.once('close', (code, signal) => resolve({ code: code ?? signal, stderr }));
    });
}
