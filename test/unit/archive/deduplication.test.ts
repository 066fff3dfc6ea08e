import assert from 'node:assert/strict';
import { test } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import { FakeFileSystem, seededRandom } from '../../fakes/file-system.ts';
import { archiveOn, exchangeOf, readBack } from './rig.ts';

const words =
  'the archive keeps what was said and a reader finds it again by name of file path error line test build run return const await function import from value string number list index write read open close'.split(
    ' ',
  );

/** Text as tools print it: words, numbers, hashes. */
function saying(random: () => number, length: number): string {
  const said: string[] = [];
  for (let chars = 0; chars < length; ) {
    const roll = random();
    const word =
      roll < 0.1
        ? String(Math.floor(random() * 1e6))
        : roll < 0.2
          ? Math.floor(random() * 2 ** 40).toString(36)
          : (words[Math.floor(random() * words.length)] ?? '');
    said.push(word);
    chars += word.length + 1;
  }
  return said.join(' ');
}

type Turn = { request: Buffer; answer: Buffer; unique: Buffer[]; documents: unknown[] };

/** An agent at work: each turn resends everything with the tool's result behind it, and the cache mark moves on. */
function conversation(turns: number, seed: number): Turn[] {
  const random = seededRandom(seed);
  const system = saying(random, 12_000);
  const tools = Array.from({ length: 20 }, (_, at) => ({
    name: `tool_${at}`,
    description: saying(random, 600),
    input_schema: { type: 'object', properties: { path: { type: 'string' } } },
  }));
  const messages: { role: string; content: unknown }[] = [];
  const said: Turn[] = [];
  for (let turn = 0; turn < turns; turn += 1) {
    const result = saying(random, 500 + Math.floor(random() * 6_000));
    messages.push({
      role: 'user',
      content:
        turn === 0 ? saying(random, 300) : [{ type: 'tool_result', tool_use_id: `toolu_${turn}`, content: result }],
    });
    const marked = messages.map((message, at) =>
      at === messages.length - 1 ? { ...message, cache_control: { type: 'ephemeral' } } : message,
    );
    const request = Buffer.from(
      JSON.stringify({ model: 'claude-sonnet-4-5', max_tokens: 32_000, stream: true, messages: marked, system, tools }),
    );
    const text = saying(random, 300 + Math.floor(random() * 900));
    const pieces = text.match(/.{1,40}/g) ?? [];
    const answer = Buffer.from(
      pieces
        .map(
          (piece) =>
            `event: content_block_delta\ndata: ${JSON.stringify({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: piece } })}\n\n`,
        )
        .join(''),
    );
    const first = turn === 0 ? [Buffer.from(system), Buffer.from(JSON.stringify(tools))] : [];
    const newest = JSON.stringify(messages.at(-1));
    const before = turn === 0 ? [] : [Buffer.from(JSON.stringify(messages.at(-2)))];
    const unique = [...first, ...before, Buffer.from(newest), answer];
    messages.push({ role: 'assistant', content: [{ type: 'text', text }] });
    said.push({ request, answer, unique, documents: [{ new_messages: [JSON.parse(newest)], answer: text }] });
  }
  return said;
}

function pieces(body: Buffer, length: number): Buffer[] {
  return Array.from({ length: Math.ceil(body.length / length) }, (_, at) =>
    body.subarray(at * length, (at + 1) * length),
  );
}

test('a conversation of 100 turns within a day takes at most 1.5 times its unique bytes, compressed', async () => {
  const disk = new FakeFileSystem();
  const { open, reader } = archiveOn(disk, { segmentMaxBytes: 64 * 1024 * 1024 });
  const archive = open();
  const turns = conversation(100, 7);
  for (const [at, { request, answer, documents }] of turns.entries()) {
    await archive.archive([
      exchangeOf(at + 1, { request: pieces(request, 16_384), answer: pieces(answer, 200), documents }),
    ]);
  }
  await archive.close();
  const stored = disk
    .paths()
    .filter((path) => path.endsWith('.segment'))
    .reduce((sum, path) => sum + disk.bytesOf(path).length, 0);
  const unique = zstdCompressSync(Buffer.concat(turns.flatMap((turn) => turn.unique))).length;
  const sent = turns.reduce((sum, { request, answer }) => sum + request.length + answer.length, 0);
  assert.ok(stored <= 1.5 * unique, `${stored} bytes for ${unique} compressed unique ones (${sent} were sent)`);
  const last = exchangeOf(100, {
    request: pieces(turns[99]?.request ?? Buffer.alloc(0), 16_384),
    answer: pieces(turns[99]?.answer ?? Buffer.alloc(0), 200),
  });
  assert.deepEqual((await readBack(reader(), last.exchangeId)).payloads, last.payloads);
});
