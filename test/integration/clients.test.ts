import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { createBrowser } from '../environment/browser.ts';
import { claudeCode, pythonSdk } from '../environment/client-programs.ts';
import { startTestGateway, type TestGateway } from '../environment/gateway.ts';

/** docs/clients.md as its readers would do it: one login, then each client with the settings that stand there. */
const root = resolve(import.meta.dirname, '../..');
const page = readFileSync(join(root, 'docs/clients.md'), 'utf8');
let gateway: TestGateway;
let home: string;
let env: NodeJS.ProcessEnv;

before(async () => {
  gateway = await startTestGateway();
  home = join(gateway.directory, 'home');
  const bin = join(home, 'bin');
  mkdirSync(bin, { recursive: true });
  writeFileSync(
    join(bin, 'skilltape'),
    `#!/bin/sh\nexec '${process.execPath}' '${join(root, 'extproc/main.ts')}' "$@"\n`,
    { mode: 0o755 },
  );
  symlinkSync(join(root, 'node_modules'), join(home, 'node_modules'));
  env = {
    PATH: `${bin}:${dirname(process.execPath)}:${process.env.PATH}`,
    HOME: home,
    NODE_EXTRA_CA_CERTS: gateway.caFile,
    SSL_CERT_FILE: gateway.caFile,
    CURL_CA_BUNDLE: gateway.caFile,
  };
  await logIn();
});
after(() => gateway.stop());

/** The block of this language that stands below this heading, with the gateway of this test in it. */
function block(heading: string, language: string): string {
  const section = page.slice(page.indexOf(`## ${heading}\n`));
  const text = new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``).exec(section)?.[1];
  assert.ok(text !== undefined, heading);
  return text.replaceAll('https://gateway.example.com', gateway.url);
}

async function logIn(): Promise<void> {
  const { issuer, clientId } = gateway.identityProvider;
  const command = block('Log in once', 'sh')
    .replace('https://idp.example.com', issuer)
    .replace('skilltape-cli', clientId);
  const child = spawn('sh', ['-c', `${command.trim()} --ca-file '${gateway.caFile}'`], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  let done: Promise<void> | undefined;
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    said += chunk;
    const url = /^https:\S+\/auth\?\S+$/m.exec(said)?.[0];
    if (url !== undefined && said.endsWith('\n')) done ??= signIn(url, issuer);
  });
  const status = await new Promise((resolve) => child.once('close', resolve));
  await done;
  assert.equal(status, 0, said);
}

async function signIn(url: string, issuer: string): Promise<void> {
  const open = createBrowser(issuer, gateway.fetch as unknown as typeof fetch);
  const login = await open(url);
  const back = await open(login.url, { subject: 'alice' });
  assert.equal((await fetch(back.url)).status, 200);
}

type Ran = { status: number | string; output: string };

function run(command: string, args: readonly string[], more: NodeJS.ProcessEnv = {}): Promise<Ran> {
  return new Promise((resolve) => {
    const options = { env: { ...env, ...more }, cwd: home, timeout: 120_000 };
    const child = execFile(command, args, options, (error, out, err) => {
      resolve({ status: error === null ? 0 : (error.code ?? 'killed'), output: `${out}\n${err}` });
    });
    child.stdin?.end();
  });
}

/** What the upstream got of a run, and who the record says it was. */
async function assertRecorded(before: number, ran: Ran): Promise<void> {
  assert.equal(ran.status, 0, ran.output);
  assert.ok(gateway.fake.requestCount() > before, ran.output);
  const { headers } = gateway.fake.requests.at(-1) ?? {};
  assert.ok(!/eyJ[\w-]+\.eyJ/.test(JSON.stringify(headers)), 'the token went upstream');
}

test('curl', async () => {
  const before = gateway.fake.requestCount();
  await assertRecorded(before, await run('bash', ['-euo', 'pipefail', '-c', block('Anything else', 'sh')]));
});

test('the TypeScript SDK', async () => {
  const before = gateway.fake.requestCount();
  writeFileSync(join(home, 'client.mts'), block('TypeScript', 'ts'));
  const ran = await run(process.execPath, ['client.mts']);
  await assertRecorded(before, ran);
  assert.match(ran.output, /^assistant$/m);
});

test('the Python SDK', async (t) => {
  const sdk = await pythonSdk();
  if ('missing' in sdk) return t.skip(sdk.missing);
  const before = gateway.fake.requestCount();
  writeFileSync(join(home, 'client.py'), block('Python', 'python'));
  const ran = await run('python3', ['client.py'], { PYTHONPATH: sdk.path });
  await assertRecorded(before, ran);
  assert.match(ran.output, /^assistant$/m);
});

test('Claude Code with its helper, whose first token has ended: the session goes on without the user', async (t) => {
  const program = await claudeCode();
  if ('missing' in program) return t.skip(program.missing);
  const settings = JSON.parse(block('Claude Code', 'json')) as { apiKeyHelper: string };
  assert.equal(settings.apiKeyHelper, 'skilltape token');
  const [ended, calls] = [join(home, 'ended'), join(home, 'calls')];
  writeFileSync(ended, await gateway.identityProvider.token('alice', { expiresInSeconds: -60 }));
  const helper = join(home, 'bin', 'helper');
  const script = `#!/bin/sh\nif [ ! -e '${calls}' ]; then echo 1 > '${calls}'; cat '${ended}'; else echo 2 >> '${calls}'; exec ${settings.apiKeyHelper}; fi\n`;
  writeFileSync(helper, script, { mode: 0o755 });
  mkdirSync(join(home, '.claude'), { recursive: true });
  writeFileSync(join(home, '.claude', 'settings.json'), JSON.stringify({ ...settings, apiKeyHelper: helper }));
  const before = gateway.fake.requestCount();
  const ran = await run(program.path, ['-p', 'Where does the Inn rise?']);
  await assertRecorded(before, ran);
  assert.match(readFileSync(calls, 'utf8'), /^1\n(2\n)+$/);
});
