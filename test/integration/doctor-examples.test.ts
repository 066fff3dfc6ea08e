import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text as readText } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { resolveTool } from '../../extproc/tools/resolve.ts';
import { createAuthority } from '../fakes/certificates.ts';
import { examples } from '../unit/doctor/examples.ts';
import { type Parts, partsOf, shipped } from '../unit/doctor/parts.ts';

/** Near ones that have what the shipped configuration has not; the others take away or change a value. */
const nearWithMore = [
  ...[
    'credential-missing',
    'credential-on-unrecorded-route',
    'ext-proc-missing',
    'graceful-close-off',
    'host-of-caller-sent',
  ],
  ...['jwt-refuses-unrecorded', 'path-rewritten-unseen', 'processor-unprotected', 'upstream-not-verified'],
  ...['upstream-without-sni'],
];

/** Whether Envoy takes the configurations that doctor's traps are shown by: a trap that cannot be set is none. */
let directory: string;
let envoy: string;
before(async () => {
  directory = mkdtempSync(join(tmpdir(), 'skilltape-doctor-examples-'));
  envoy = (await resolveTool('envoy', { env: process.env })).path;
  mkdirSync(join(directory, 'sds'));
  const { certificatePem, privateKeyPem } = await (await createAuthority('test')).issue({ commonName: 'gateway' });
  const type = 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret';
  const certificate = {
    certificate_chain: { inline_string: certificatePem },
    private_key: { inline_string: privateKeyPem },
  };
  const secrets: Record<string, object> = {
    gateway_certificate: { tls_certificate: certificate },
    claude_credential: { generic_secret: { secret: { inline_string: 'x' } } },
    own: { tls_certificate: certificate },
  };
  for (const [name, secret] of Object.entries(secrets)) {
    writeFileSync(
      join(directory, 'sds', `${name}.yaml`),
      JSON.stringify({ resources: [{ '@type': type, name, ...secret }] }),
    );
  }
  writeFileSync(join(directory, 'rds.yaml'), JSON.stringify({ resources: [] }));
});
after(() => rmSync(directory, { recursive: true, force: true }));

/** What Envoy says against it; empty when it takes it. */
async function refusal(name: string, change: (parts: Parts) => void): Promise<string> {
  const root = shipped();
  change(partsOf(root));
  const file = join(directory, `${name}.json`);
  const places = JSON.stringify(root).replaceAll(/\/(etc|run|var\/log)\/skilltape/g, directory);
  writeFileSync(file, places);
  const args = ['--mode', 'validate', '-c', file, '--use-dynamic-base-id', '--log-level', 'error'];
  const child = spawn(envoy, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [out, err] = await Promise.all([readText(child.stdout), readText(child.stderr)]);
  return (await ended) === 0 ? '' : `${name}: ${(err || out).trim().split('\n').slice(-2).join(' ').slice(0, 500)}`;
}

type Run = { name: string; change: (parts: Parts) => void; isRefused: boolean };

test('Envoy takes what has a trap, and what is near it', async () => {
  const runs = Object.entries(examples).flatMap(([id, { bad, good, refused = false }]): Run[] => [
    { name: `${id}-bad`, change: bad, isRefused: refused },
    ...(nearWithMore.includes(id) ? [{ name: `${id}-good`, change: good, isRefused: false }] : []),
  ]);
  const wrong: string[] = [];
  const next = async (): Promise<void> => {
    for (let run = runs.pop(); run !== undefined; run = runs.pop()) {
      const said = await refusal(run.name, run.change);
      if ((said !== '') !== run.isRefused) wrong.push(said || `${run.name}: taken, and said to be refused`);
    }
  };
  await Promise.all([next(), next(), next()]);
  assert.deepEqual(wrong, []);
});
