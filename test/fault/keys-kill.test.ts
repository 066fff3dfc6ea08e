import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { masterFromFile } from '../../extproc/keys/master.ts';
import { openOpener } from '../../extproc/keys/opener.ts';
import { prepareKeys } from '../../extproc/keys/prepare.ts';
import { openSealer } from '../../extproc/keys/sealer.ts';
import { temporaryDirectory } from '../builders/directory.ts';

const ROUNDS = 6;
const self = fileURLToPath(import.meta.url);

/** Seals for the same new persons as its twin does, and says what it sealed. */
async function sealForEver(dataDirectory: string, round: string): Promise<void> {
  const sealer = await openSealer({ dataDirectory });
  for (let number = 0; ; number++) {
    const { key, sealed } = await sealer.sealedKeyFor({ issuer: round, subject: `${number}` }, 'standard', 'here');
    fs.writeSync(1, `${Buffer.from(key).toString('hex')} ${Buffer.from(sealed).toString('hex')}\n`);
  }
}

async function killedAfter(dataDirectory: string, round: number, lines: number): Promise<string[]> {
  const child = spawn(process.execPath, [self, 'seal', dataDirectory, `${round}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = new Promise<NodeJS.Signals | null>((resolve) => child.on('exit', (_, signal) => resolve(signal)));
  const said: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    said.push(line);
    if (said.length === lines) child.kill('SIGKILL');
  }
  assert.equal(await exited, 'SIGKILL');
  return said;
}

if (process.argv[2] === 'seal') {
  await sealForEver(process.argv[3] ?? '', process.argv[4] ?? '');
} else {
  test('processes that make the same pairs and are killed in the middle leave no key that does not open', async (context) => {
    const dataDirectory = temporaryDirectory(context);
    await prepareKeys(dataDirectory);
    const opener = openOpener({ dataDirectory, master: masterFromFile(dataDirectory) });
    const names = new Set<string>();
    let sealings = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const lines = 5 + round * 7;
      const said = await Promise.all([lines, lines + 3].map((count) => killedAfter(dataDirectory, round, count)));
      for (const line of said.flat()) {
        const [key = '', sealed = ''] = line.split(' ');
        const opened = await opener.open(Buffer.from(sealed, 'hex'), 'here');
        assert.deepEqual(opened, { kind: 'opened', key: Buffer.from(key, 'hex') });
        names.add(sealed.slice(0, 2 * (6 + 8 + 32)));
        sealings += 1;
      }
    }
    // Each person has one pair, whoever made it.
    assert.ok(names.size < sealings, `${names.size} pairs, ${sealings} sealings`);
  });
}
