import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { chatPartOf } from '../../../extproc/export/chat.ts';
import { openExportFolder } from '../../../extproc/export/folder.ts';
import { streamSink } from '../../../extproc/export/sink.ts';
import { temporaryDirectory } from '../../builders/directory.ts';
import { documentOf } from '../../builders/document.ts';
import { documentsOf } from './chats.ts';

const conversations = documentsOf(
  Array.from({ length: 5 }, (_, chat) => ({ chat, isAnswered: true, lastsMs: 1, nextAfterMs: 10 })),
).map((document) => [chatPartOf(document)]);

test('a folder is there whole or not at all, for its owner alone, and its files are what the manifest says', async (t) => {
  const directory = temporaryDirectory(t);
  const out = join(directory, 'training');
  const folder = await openExportFolder(out, 600);
  for (const conversation of conversations) await folder.append(conversation);
  const files = await folder.end();
  assert.deepEqual(
    readdirSync(directory).filter((name) => !name.startsWith('.')),
    [],
  );
  await folder.publish({ files });
  await folder.discard();
  assert.deepEqual(readdirSync(directory), ['training']);
  assert.deepEqual(readdirSync(out), [...files.map(({ name }) => name), 'manifest.json']);
  assert.ok(files.length > 1 && files.length < 5);
  assert.equal(
    files.reduce((sum, { lines }) => sum + lines, 0),
    5,
  );
  for (const { name, bytes, sha256 } of files) {
    const content = readFileSync(join(out, name));
    assert.equal(content.length, bytes);
    assert.equal(createHash('sha256').update(content).digest('hex'), sha256);
    assert.equal(statSync(join(out, name)).mode & 0o777, 0o600);
  }
  assert.equal(statSync(out).mode & 0o777, 0o700);
  assert.equal(statSync(join(out, 'manifest.json')).mode & 0o777, 0o600);
});

test('nothing is written over, also not what came meanwhile, and nothing is left behind', async (t) => {
  const directory = temporaryDirectory(t);
  const out = join(directory, 'training');
  const folder = await openExportFolder(out);
  for (const conversation of conversations) await folder.append(conversation);
  mkdirSync(out);
  await assert.rejects(openExportFolder(out), /is there already/);
  await assert.rejects(folder.publish({ files: await folder.end() }), /is there already/);
  await folder.discard();
  assert.deepEqual(readdirSync(directory), ['training']);
  assert.deepEqual(readdirSync(out), []);
  await assert.rejects(openExportFolder(join(directory, 'none', 'training')), /cannot be made: ENOENT/);
});

test('what callers write turns no terminal and ends no line, and is read again as it was', async () => {
  const text = 'a \u001b[2J \u009b31m \u202e \u2028{"schema":"forged"}\u2029 \u0085 \u200b b';
  let out = '';
  const sink = streamSink('-', async (written) => {
    out += written;
  });
  await sink.append([chatPartOf(documentOf({ skilltape: { new_messages: [{ role: 'user', content: text }] } }))]);
  assert.doesNotMatch(out.slice(0, -1), /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
  assert.equal(JSON.parse(out).messages.find(({ role }: { role: string }) => role === 'user').content[0].text, text);
  const [file] = await sink.end();
  assert.equal(file?.sha256, createHash('sha256').update(out).digest('hex'));
});
