import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Child } from '../../extproc/demo/child.ts';
import { startChild } from '../../extproc/demo/child.ts';
import { resolveTool } from '../../extproc/tools/resolve.ts';
import { operationsOf, troubles } from '../environment/operations-call.ts';
import { waitUntil } from '../environment/wait.ts';

const directory = mkdtempSync(join(tmpdir(), 'skilltape-start-'));
after(() => rmSync(directory, { recursive: true, force: true }));
const fromRoot = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

async function serve(operations: object, opaBinary: string): Promise<Child> {
  const configFile = join(directory, 'skilltape.yaml');
  const config = {
    dataDirectory: 'data',
    listen: { socket: 'extproc.sock' },
    identityProviders: { idp: { issuer: 'https://idp.example.com' } },
    connections: { claude: { identityProviders: ['idp'] } },
    policies: { directory: fromRoot('policies') },
    operations,
  };
  writeFileSync(configFile, JSON.stringify(config), { mode: 0o600 });
  return startChild({
    name: 'the processor',
    command: process.execPath,
    args: [fromRoot('extproc/main.ts'), 'serve', '--config', configFile],
    logFile: join(directory, 'processor.log'),
    env: { ...process.env, OPA_BIN: opaBinary },
  });
}

test('a starting processor is alive and says what it is still at, and is ready when Envoy can reach it', async () => {
  const opa = (await resolveTool('opa', { env: process.env })).path;
  const slow = join(directory, 'slow-opa');
  const go = join(directory, 'go');
  writeFileSync(
    slow,
    `#!/bin/sh\n[ "$1" != build ] || while [ ! -e '${go}' ]; do sleep 0.05; done\nexec '${opa}' "$@"\n`,
  );
  chmodSync(slow, 0o700);
  const processor = await serve({ port: 0 }, slow);
  try {
    const operations = operationsOf({ directory });
    const report = await operations.ready();
    assert.deepEqual(
      [report.status, troubles(report)],
      [503, ['policies: failed', 'journal: failed', 'listener: failed']],
    );
    assert.equal((await operations.ask('/healthz')).status, 200);
    assert.equal((await operations.ask('/metrics')).status, 200);
    writeFileSync(go, '');
    const ready = await waitUntil('a ready processor', async () => {
      const now = await operations.ready();
      return now.ready && now;
    });
    assert.deepEqual([ready.status, troubles(ready)], [200, []]);
  } finally {
    await processor.stop();
  }
  assert.equal(await processor.exited, 0);
});

test('a port that is taken ends the start with the reason and a way out', async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const address = other.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  try {
    const processor = await serve({ port }, process.execPath);
    assert.equal(await processor.exited, 2);
  } finally {
    other.close();
  }
});
