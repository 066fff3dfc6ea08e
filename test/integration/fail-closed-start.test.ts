import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { appendFileSync, cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { resolveTool } from '../../extproc/tools/resolve.ts';

const directory = mkdtempSync(join(tmpdir(), 'skilltape-policy-'));
after(() => rmSync(directory, { recursive: true, force: true }));

const fromRoot = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

test('a policy that cannot be compiled: the processor does not start, and names file and line', async () => {
  const policies = join(directory, 'policies');
  cpSync(fromRoot('policies'), policies, { recursive: true });
  const file = join(policies, 'rules', 'access', 'deny_list', 'deny_list.rego');
  appendFileSync(file, '\nfindings contains { if\n');
  const line = readFileSync(file, 'utf8').split('\n').length - 1;
  const { code, stderr } = await serve(policies);
  assert.equal(code, 2);
  assert.ok(stderr.includes(`${file}:${line}`), stderr);
  assert.ok(!existsSync(join(directory, 'extproc.sock')), 'Envoy could reach a processor without a policy');
});

test('a policy that compiles by itself but not with its schema is refused in the same way', async () => {
  const policies = join(directory, 'misspelt');
  cpSync(fromRoot('policies'), policies, { recursive: true });
  const file = join(policies, 'rules', 'access', 'deny_list', 'deny_list.rego');
  appendFileSync(file, '\nfindings contains {"effect": "deny", "message": "x"} if input.identity.subjekt == "x"\n');
  const { code, stderr } = await serve(policies);
  assert.equal(code, 2);
  assert.match(stderr, /deny_list\.rego:\d+/);
});

test('a processor that cannot listen ends with the reason, and leaves its journal to the next one', async () => {
  const socket = join(directory, 'no-such-folder', 'extproc.sock');
  // A second start would be refused if the first still held the journal, and would never end if its thread lived on.
  for (const _attempt of [1, 2]) {
    const { code, stderr } = await serve(fromRoot('policies'), socket);
    assert.equal(code, 2, stderr);
    assert.ok(stderr.includes(`Cannot listen on unix:${socket}`), stderr);
  }
});

async function serve(
  policies: string,
  socket = join(directory, 'extproc.sock'),
): Promise<{ code: number | string | null; stderr: string }> {
  const configFile = join(directory, 'skilltape.yaml');
  const config = {
    dataDirectory: join(directory, 'data'),
    listen: { socket },
    identityProviders: { idp: { issuer: 'https://idp.example.com' } },
    connections: { claude: { identityProviders: ['idp'] } },
    policies: { directory: policies },
    operations: { port: 0 },
  };
  writeFileSync(configFile, JSON.stringify(config), { mode: 0o600 });
  const opa = await resolveTool('opa', { env: process.env });
  const env = { ...process.env, OPA_BIN: opa.path };
  return new Promise((resolve) => {
    const args = [fromRoot('extproc/main.ts'), 'serve', '--config', configFile];
    const child = execFile(process.execPath, args, { env, timeout: 60_000 }, (_error, _stdout, stderr) => {
      resolve({ code: child.exitCode ?? child.signalCode, stderr });
    });
  });
}
