import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openJournal } from '../../extproc/journal/journal.ts';
import { nodeFileSystem } from '../../extproc/journal/node-fs.ts';
import { openJournalReader } from '../../extproc/journal/reader.ts';

const ROUNDS = 10;
const key = new Uint8Array(32).fill(3);
const self = fileURLToPath(import.meta.url);

function open(directory: string) {
  return openJournal({
    directory,
    fileSystem: nodeFileSystem,
    key,
    segmentMaxBytes: 8192,
    journalMaxBytes: 100_000_000,
    syncIntervalMs: 5,
    onPoison: (error) => {
      throw error;
    },
  });
}

/** Appends numbers for ever; says on standard output which were acknowledged, by append and by sync. */
async function writeForEver(directory: string, first: number): Promise<void> {
  const { journal } = await open(directory);
  for (let number = first; ; number += 3) {
    await Promise.all([0, 1, 2].map((step) => journal.append([Buffer.from(`${number + step}`.padEnd(300, '.'))])));
    fs.writeSync(1, `appended ${number + 2}\n`);
    if (number % 2 === 0) continue;
    await journal.sync();
    fs.writeSync(1, `synced ${number + 2}\n`);
  }
}

/** The highest number acknowledged before the child died. */
async function killAfterLines(directory: string, first: number, lines: number): Promise<number> {
  const child = spawn(process.execPath, [self, 'write', directory, `${first}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = new Promise<NodeJS.Signals | null>((resolve) => child.on('exit', (_, signal) => resolve(signal)));
  let highest = first - 1;
  let count = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    highest = Number(line.split(' ')[1]);
    count += 1;
    if (count === lines) child.kill('SIGKILL');
  }
  assert.equal(await exited, 'SIGKILL');
  return highest;
}

async function killAgainAndAgain(directory: string): Promise<void> {
  let first = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const highest = await killAfterLines(directory, first, 5 + 4 * round);
    const { journal, recovery } = await open(directory);
    assert.deepEqual(recovery.damage, []);
    const numbers: number[] = [];
    const reader = openJournalReader({ directory, fileSystem: nodeFileSystem, key });
    for await (const { payload } of reader.read(null))
      numbers.push(Number.parseInt(Buffer.from(payload).toString(), 10));
    await reader.close();
    assert.deepEqual(
      numbers,
      numbers.map((_, index) => index),
    );
    assert.ok(numbers.length > highest, `round ${round}: ${highest} was acknowledged, ${numbers.length} are there`);
    first = numbers.length;
    await journal.close();
  }
}

if (process.argv[2] === 'write') {
  await writeForEver(process.argv[3] ?? '', Number(process.argv[4]));
} else {
  test('a process killed again and again on a real disk loses nothing it acknowledged', async (context) => {
    const directory = fs.mkdtempSync(join(tmpdir(), 'skilltape-kill-'));
    context.after(() => fs.rmSync(directory, { recursive: true }));
    await killAgainAndAgain(join(directory, 'journal'));
  });
}
