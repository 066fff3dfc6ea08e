import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { maskCommand } from '../../../extproc/cli/mask.ts';
import { temporaryDirectory } from '../../builders/directory.ts';
import { CommandRunner, newRun } from './looking-fixture.ts';

const guide = readFileSync(fileURLToPath(new URL('../../../docs/masking.md', import.meta.url)), 'utf8');

/** The code of a section, in order: the language of each block and what stands in it. */
function blocksOf(heading: string): { language: string; code: string }[] {
  const section = guide.split(/^## /m).find((each) => each.startsWith(`${heading}\n`)) ?? '';
  return Array.from(section.matchAll(/^```(\w+)\n(.*?)^```$/gms), ([, language = '', code = '']) => ({
    language,
    code,
  }));
}

/** What a line of the guide prints, with `…` for what is another one in each run. */
async function printed(line: string, folder: string): Promise<string> {
  const [, input = '', flags = ''] = /^echo '(.*)' \| npx skilltape mask ?(.*)\n$/.exec(line) ?? [];
  assert.notEqual(input, '', line);
  const args = flags.split(' ').filter((flag) => flag !== '');
  const nothing = () => assert.fail('nothing recorded is looked at');
  const recorded = { openRecorded: nothing, openRemask: nothing };
  const { out } = await new CommandRunner('').run(
    (looking) => maskCommand(looking, { input: Readable.from([`${input}\n`]), recorded }),
    args.map((arg) => (arg.endsWith('.json') ? join(folder, arg) : arg)),
    newRun(),
  );
  return out.replace(/:[0-9a-f]{16}\]/g, ':…]');
}

for (const heading of ['Try it', 'Write a rule', 'List names, customers and projects']) {
  test(`the section "${heading}" of the guide prints what it says, with the file it shows`, async (t) => {
    const folder = temporaryDirectory(t);
    const blocks = blocksOf(heading);
    let ran = 0;
    for (const [at, { language, code }] of blocks.entries()) {
      if (language === 'json') writeFileSync(join(folder, 'detectors.json'), code);
      if (language !== 'sh') continue;
      assert.equal(await printed(code, folder), blocks[at + 1]?.code);
      ran += 1;
    }
    assert.equal(ran, 1);
  });
}
