import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { test } from 'node:test';
import { SkilltapeError } from '../../../extproc/errors.ts';
import { SqliteSearch } from '../../../extproc/index/sqlite/search.ts';
import { noDetectors } from '../../../extproc/masking/detector-list.ts';
import { detectionOf } from '../../../extproc/masking/own-detection.ts';
import { usualMasking } from '../../../extproc/policy/masking-decision.ts';
import type { LeftOf } from '../../../extproc/rebuild/left.ts';
import { rebuildIndex } from '../../../extproc/rebuild/rebuild.ts';
import type { Transcript } from '../../../extproc/transcript/transcript.ts';
import { ada, masker, messageOf, messagesRequest, transcriptOf } from '../transcript/example.ts';
import { Shipped } from './shipped.ts';

const firstMs = Date.UTC(2026, 0, 15, 10);
const eve = { ...ada, subject: 'u-eve', email: 'eve@example.org', name: 'Eve Example' };
const none = { maskingFailed: 0, erased: 0, damaged: 0, rejected: 0, expired: 0, metadata: 0 };

/** The exchange with this number began so many seconds after the first, and took a second and a half. */
function numbered(number: number, overrides: Parameters<typeof transcriptOf>[0] = {}): Transcript {
  const startedMs = firstMs + 1_000 * number;
  const time = startedMs.toString(16).padStart(12, '0');
  const id = `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${String(number).padStart(12, '0')}`;
  const session = { id: `session-${number % 3}`, source: 'exchange' };
  return { ...transcriptOf({ decided: { session }, ...overrides, id }), startedMs, finishedMs: startedMs + 1_500 };
}

function chat(number: number, said: readonly string[], more: Parameters<typeof transcriptOf>[0] = {}): Transcript {
  const messages = said.map((content, at) => ({ role: at % 2 === 0 ? 'user' : 'assistant', content }));
  const request = { ...messagesRequest('', { system: 'be brief' }), messages };
  return numbered(number, { request, answer: messageOf(`answer to ${said.at(-1)}`), ...more });
}

const turns = 80;

/** Chats that send their history again, of two persons, and in two classes; a batch with results; files; what fails. */
function varied(): Transcript[] {
  const said: string[] = [];
  const exchanges: Transcript[] = [];
  for (let turn = 0; turn < turns; turn += 1) {
    said.push(`question ${turn} of ada@example.org`);
    const stop = turn % 3 === 1 ? { stop_reason: 'max_tokens' } : {};
    exchanges.push(chat(turn, said, { answer: messageOf(`answer to ${said.at(-1)}`, stop) }));
    said.push(`answer to question ${turn} of ada@example.org`);
  }
  exchanges.push(chat(100, said.slice(0, 3), { started: { identity: eve } }));
  exchanges.push(chat(101, ['poison of a request']));
  exchanges.push(chat(102, ['poison of a request', 'answer to poison of a request', 'and more']));
  const requests = ['first', 'second'].map((prompt) => ({ custom_id: prompt, params: messagesRequest(prompt) }));
  const batch = { id: 'msgbatch_1', type: 'message_batch', processing_status: 'in_progress' };
  exchanges.push(numbered(103, { request: { requests }, answer: batch, started: { path: '/v1/messages/batches' } }));
  const results = ['first', 'second'].map((one) =>
    JSON.stringify({ custom_id: one, result: { type: 'succeeded', message: messageOf(`to ${one}`) } }),
  );
  exchanges.push(
    numbered(104, {
      requestBody: new Uint8Array(),
      answerBody: Buffer.from(`${results.join('\n')}\n`),
      answerHeaders: [['content-type', 'application/x-jsonl']],
      started: { method: 'GET', path: '/v1/messages/batches/msgbatch_1/results' },
    }),
  );
  const headers = [['content-type', 'multipart/form-data; boundary=frontier']] as const;
  const form =
    '--frontier\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nhi\r\n--frontier--\r\n';
  exchanges.push(
    numbered(105, {
      requestBody: Buffer.from(form),
      answer: { id: 'file_7', type: 'file' },
      started: { path: '/v1/files', headers },
    }),
  );
  exchanges.push(numbered(106, { request: messagesRequest([{ type: 'container_upload', file_id: 'file_7' }]) }));
  exchanges.push(numbered(107, { decided: { verdict: 'deny', reasons: [{ rule: 'a/b', message: 'm' }] } }));
  exchanges.push(numbered(108, { decided: null, started: { identity: null } }));
  return exchanges;
}

/** Two attempts of one request that came to two workers. */
function twice(number: number): Transcript[] {
  const started = { envoyRequestId: `request-${number}` };
  return [chat(number, ['tried twice'], { started }), chat(number + 1, ['tried twice'], { started })];
}

async function filled(t: Parameters<typeof Shipped.begin>[0]): Promise<Shipped> {
  const shipped = await Shipped.begin(t);
  const own = (one: Transcript, at: number) => ({ ...one.started, envoyRequestId: one.started.envoyRequestId + at });
  const all = varied().map((one, at) => ({ ...one, started: own(one, at) }));
  for (const [at, one] of all.entries()) await shipped.write(one, (at % 2) + 1);
  for (const [at, one] of twice(130).entries()) await shipped.write(one, at + 1);
  await shipped.ship();
  await shipped.stop({ dropJournals: true });
  await shipped.start();
  for (const [at, one] of twice(140).entries()) await shipped.write(one, at + 1);
  await shipped.write(chat(150, ['question 0 of ada@example.org', 'answer to question 0 of ada@example.org', 'last']));
  return shipped;
}

test('an index that was lost is rebuilt: all documents, texts, turns, links, classes and sums are the same', async (t) => {
  const shipped = await filled(t);
  await shipped.ship({ intoArchive: false });
  const before = shipped.everything();
  const answers = await searches(shipped.directory);
  await shipped.stop();
  shipped.loseIndex();
  const options = shipped.rebuilding(t);
  const result = await rebuildIndex(options);
  assert.deepEqual(result, { kind: 'in_place', counts: { ...none, indexed: turns + 14, maskingFailed: 2 } });
  assertSame(shipped, before);
  assert.deepEqual(await searches(shipped.directory), answers);
  assert.ok((before.documents?.length ?? 0) > turns + 14, 'those of the batch are among them');
  assert.match(before.documents?.join() ?? '', /\\"via\\":\\"attempt\\"/);
  assert.ok(new Set(before.classes?.map((row) => JSON.parse(row).retention_class)).size === 2);
});

test('a rebuild that was ended half-way goes on there, and comes to the same', async (t) => {
  const shipped = await filled(t);
  await shipped.ship({ intoArchive: false });
  const before = shipped.everything();
  await shipped.stop();
  for (const ended of ['in the archive', 'before the place was saved', 'in the journals'] as const) {
    shipped.loseIndex();
    const options = shipped.rebuilding(t);
    const { open, fileSystem } = options;
    let [deliveries, saved] = [0, 0];
    const dying: typeof options = {
      ...options,
      fileSystem: {
        ...fileSystem,
        async writeSmall(path, bytes) {
          saved += path.endsWith('progress.json') ? 1 : 0;
          if (ended === 'before the place was saved' && saved === 3) throw new Error('killed');
          await fileSystem.writeSmall(path, bytes);
        },
      },
      open: async (place: string) => {
        const opened = await open(place);
        const deliver: typeof opened.parts.index.deliver = async (documents) => {
          deliveries += 1;
          if (deliveries !== { 'in the archive': 2, 'in the journals': 3, 'before the place was saved': 0 }[ended])
            return opened.parts.index.deliver(documents);
          return documents.map(() => ({ kind: 'retry', reason: 'away' }));
        };
        return { ...opened, parts: { ...opened.parts, index: { deliver } } };
      },
    };
    const first = await rebuildIndex(dying).catch(() => null);
    assert.notEqual(first?.kind, 'in_place', ended);
    await rebuildIndex(shipped.rebuilding(t));
    assertSame(shipped, before);
  }
});

test('beside a gateway the archive is prepared, and what came meanwhile is added when it is stopped', async (t) => {
  const shipped = await filled(t);
  const prepared = await rebuildIndex(shipped.rebuilding(t));
  assert.deepEqual([prepared.kind, prepared.counts.indexed], ['prepared', turns + 11]);
  await shipped.ship();
  const before = shipped.everything();
  await shipped.stop();
  await assert.rejects(rebuildIndex(shipped.rebuilding(t)), /index\.sqlite is still there/);
  shipped.loseIndex();
  const result = await rebuildIndex(shipped.rebuilding(t));
  assert.deepEqual([result.kind, result.counts.indexed], ['in_place', turns + 14]);
  assertSame(shipped, before);
});

test('an index that others write to besides is neither filled beside a gateway nor when it has documents', async (t) => {
  const shipped = await filled(t);
  const elsewhere = { ...shipped.rebuilding(t), hasDocuments: async () => true };
  await assert.rejects(rebuildIndex(elsewhere), (thrown) => {
    return thrown instanceof SkilltapeError && thrown.code === 'usage' && /a gateway runs/.test(thrown.message);
  });
  await shipped.stop();
  shipped.loseIndex();
  await assert.rejects(rebuildIndex(elsewhere), /the index has documents already/);
});

test('an index is not made by two sets of rules, and a place that was not reached is not believed', async (t) => {
  const shipped = await filled(t);
  await rebuildIndex(shipped.rebuilding(t));
  await assert.rejects(rebuildIndex({ ...shipped.rebuilding(t), rules: 'sha256:2' }), /begun with other policies/);
  await shipped.ship();
  const before = shipped.everything();
  await shipped.stop();
  shipped.loseIndex();
  const { file } = shipped.rebuilding(t);
  rmSync(file.made);
  await rebuildIndex(shipped.rebuilding(t));
  assertSame(shipped, before);
});

test('texts are masked by the rules of now, in the class that the archive has: what was mended does not come back', async (t) => {
  const shipped = await filled(t);
  await shipped.ship();
  const { classes } = shipped.everything();
  await shipped.stop();
  shipped.loseIndex();
  const decision = { keep: 'full' as const, retention_class: 'long', reasons: [] };
  const masking = { ...usualMasking, plain: ['EMAIL' as const] };
  const { counts } = await rebuildIndex(
    shipped.rebuilding(t, { policy: { record: () => ({ ...decision, masking }), revision: 'sha256:2' }, masker }),
  );
  assert.deepEqual([counts.maskingFailed, counts.indexed], [0, turns + 14]);
  const now = shipped.everything();
  assert.deepEqual(now.classes, classes);
  assert.match(now.documents?.join() ?? '', /poison of a request/);
  assert.match(now.documents?.join() ?? '', /question 0 of \[EMAIL\]/);
});

test('whoever was erased is not in it, others are', async (t) => {
  const shipped = await filled(t);
  await shipped.stop({ dropJournals: true });
  await shipped.start();
  await shipped.stop();
  shipped.loseIndex();
  shipped.keys.erase({ issuer: eve.issuer, subject: eve.subject }, 'standard');
  const { counts } = await rebuildIndex(shipped.rebuilding(t));
  assert.deepEqual([counts.erased, counts.indexed], [1, turns + 10]);
  assert.doesNotMatch(shipped.everything().documents?.join() ?? '', /u-eve/);
});

test('whoever was erased is not brought back by a journal that still has what they said', async (t) => {
  const shipped = await filled(t);
  await shipped.ship();
  await shipped.stop();
  const before = shipped.everything();
  assert.match(before.documents?.join() ?? '', /u-eve/);
  const { started } = chat(160, ['said last'], { started: { identity: eve } });
  await shipped.start();
  await shipped.write({ ...chat(160, ['said last']), started });
  await shipped.ship();
  await shipped.stop();
  shipped.loseIndex();
  shipped.keys.erase({ issuer: eve.issuer, subject: eve.subject }, 'standard');
  const { counts } = await rebuildIndex(shipped.rebuilding(t));
  assert.equal(counts.erased, 2);
  assert.doesNotMatch(shipped.everything().documents?.join() ?? '', /u-eve/);
});

test('what a person had said in the journal alone when they were erased is not brought back either', async (t) => {
  const shipped = await filled(t);
  await shipped.stop();
  shipped.loseIndex();
  const isErased = ({ started }: Transcript) => started.identity?.subject === eve.subject;
  const { started } = chat(160, ['said last'], { started: { identity: eve } });
  await shipped.start();
  await shipped.write({ ...chat(160, ['said last']), started });
  await shipped.stop();
  const { counts } = await rebuildIndex(shipped.rebuilding(t, { isErased }));
  assert.equal(counts.erased, 1);
  const documents = shipped.everything().documents?.join() ?? '';
  assert.doesNotMatch(documents, /said last/);
  assert.match(documents, /u-ada/);
});

test('a person who is erased after an index was prepared is not put in place with it', async (t) => {
  const shipped = await filled(t);
  assert.equal((await rebuildIndex(shipped.rebuilding(t))).kind, 'prepared');
  await shipped.ship();
  await shipped.stop();
  shipped.loseIndex();
  shipped.keys.erase({ issuer: eve.issuer, subject: eve.subject }, 'standard');
  assert.equal((await rebuildIndex(shipped.rebuilding(t))).kind, 'in_place');
  assert.doesNotMatch(shipped.everything().documents?.join() ?? '', /u-eve/);
});

test('a person who is erased while the index is filled keeps it from its place, and is not in the next one', async (t) => {
  const shipped = await filled(t);
  await shipped.ship();
  await shipped.stop();
  shipped.loseIndex();
  const options = shipped.rebuilding(t);
  let saved = 0;
  const onProgress = () => {
    saved += 1;
    if (saved === 2) shipped.keys.erase({ issuer: eve.issuer, subject: eve.subject }, 'standard');
  };
  const first = await rebuildIndex({ ...options, onProgress });
  assert.deepEqual([first.kind, 'reason' in first && first.reason], ['waiting', 'a person was erased meanwhile']);
  assert.equal((await rebuildIndex(shipped.rebuilding(t))).kind, 'in_place');
  assert.doesNotMatch(shipped.everything().documents?.join() ?? '', /u-eve/);
});

test('what retention took is not brought back: neither texts whose days are over, nor documents, nor turns of them', async (t) => {
  const shipped = await filled(t);
  await shipped.ship();
  const before = shipped.everything();
  await shipped.stop();
  shipped.loseIndex();
  const leftOf: LeftOf = ({ retentionClass, day }) => {
    assert.equal(day, '2026-01-15');
    return retentionClass === 'short' ? 'nothing' : 'metadata';
  };
  const { counts } = await rebuildIndex(shipped.rebuilding(t, { leftOf }));
  const short = before.classes?.filter((row) => row.includes('short')).length ?? 0;
  assert.ok(short > 10);
  assert.deepEqual([counts.expired, counts.indexed], [short, turns + 14 - short]);
  const now = shipped.everything();
  assert.doesNotMatch(now.documents?.join() ?? '', /question|poison/);
  assert.ok((now.documents?.length ?? 0) > turns / 2);
  for (const table of ['turns', 'links', 'classes', 'counted']) assert.deepEqual(now[table], before[table], table);
});

/** Journals are freed in days, content goes after weeks. */
async function freed(shipped: Shipped): Promise<void> {
  await shipped.stop({ dropJournals: true });
  await shipped.start();
  await shipped.stop();
}

for (const expired of [['short'], ['standard'], ['short', 'standard']]) {
  test(`what the archive keeps of ${expired.join(' and ')} makes the same index, texts apart, and the same of what comes`, async (t) => {
    const shipped = await filled(t);
    await shipped.ship();
    await shipped.expire(...expired);
    const before = shipped.everything();
    const answers = await searches(shipped.directory);
    await freed(shipped);
    shipped.loseIndex();
    const leftOf: LeftOf = ({ retentionClass }) => (expired.includes(retentionClass) ? 'metadata' : 'all');
    const { counts } = await rebuildIndex(shipped.rebuilding(t, { leftOf }));
    const gone = expired.flatMap((name) => before.classes?.filter((row) => row.includes(`"${name}"`)) ?? []).length;
    assert.ok(gone > 10);
    assert.deepEqual([counts.metadata, counts.indexed + counts.metadata, counts.damaged], [gone, turns + 14, 0]);
    assertSame(shipped, before);
    assert.deepEqual(await searches(shipped.directory), answers);
  });
}

test('a rebuild of metadata that was ended anywhere goes on there, and comes to the same', async (t) => {
  const shipped = await filled(t);
  await shipped.ship();
  await shipped.expire('short');
  const before = shipped.everything();
  await freed(shipped);
  const leftOf: LeftOf = ({ retentionClass }) => (retentionClass === 'short' ? 'metadata' : 'all');
  shipped.loseIndex();
  let isKilled = true;
  for (let lives = 1; isKilled; lives += 1) {
    assert.ok(lives < 40);
    const options = shipped.rebuilding(t, { leftOf });
    let saved = 0;
    const writeSmall: typeof options.fileSystem.writeSmall = async (path, bytes) => {
      saved += path.endsWith('progress.json') ? 1 : 0;
      // Behind what the index took, and before it is known how far that was.
      if (saved === 6) throw new Error('killed');
      await options.fileSystem.writeSmall(path, bytes);
    };
    isKilled = await rebuildIndex({ ...options, fileSystem: { ...options.fileSystem, writeSmall } }).then(
      () => false,
      () => true,
    );
    assert.ok(lives > 2 || isKilled, 'it was never killed');
  }
  assertSame(shipped, before);
});

test('of a day whose metadata is over nothing comes back, also where the archive has it still', async (t) => {
  const shipped = await filled(t);
  await shipped.ship();
  await shipped.expire('short');
  const classes = shipped.everything().classes?.filter((row) => row.includes('"short"')).length;
  await freed(shipped);
  shipped.loseIndex();
  const leftOf: LeftOf = ({ retentionClass }) => (retentionClass === 'short' ? 'nothing' : 'all');
  const { counts } = await rebuildIndex(shipped.rebuilding(t, { leftOf }));
  assert.deepEqual([counts.metadata, counts.expired], [0, classes]);
  assert.doesNotMatch(shipped.everything().documents?.join() ?? '', /retention_class\\":\\"short/);
});

test('metadata of an erased person stays closed, and is told once', async (t) => {
  const shipped = await filled(t);
  await shipped.ship();
  await shipped.expire('short');
  const short = shipped.everything().classes?.filter((row) => row.includes('"short"')).length ?? 0;
  await freed(shipped);
  shipped.keys.erase({ issuer: ada.issuer, subject: ada.subject }, 'short');
  shipped.loseIndex();
  const { counts } = await rebuildIndex(shipped.rebuilding(t));
  assert.deepEqual([counts.indexed, counts.metadata, counts.erased], [turns + 14 - short, 0, short]);
});

/** Of exchanges of the class whose content is gone all metadata say the model `claude-sonnet-4-5`. */
const sonnet = detectionOf({ ...noDetectors, names: [{ id: 'm', type: 'PROJECT', entries: ['sonnet'] }] });

async function shortExpired(t: Parameters<typeof Shipped.begin>[0]): Promise<{ shipped: Shipped; short: number }> {
  const shipped = await filled(t);
  await shipped.ship();
  await shipped.expire('short');
  const short = shipped.everything().classes?.filter((row) => row.includes('"short"')).length ?? 0;
  await freed(shipped);
  shipped.loseIndex();
  return { shipped, short };
}

test('what a rule of now masks does not come back with the metadata that the archive keeps', async (t) => {
  const { shipped, short } = await shortExpired(t);
  const { counts } = await rebuildIndex(shipped.rebuilding(t, { detection: () => sonnet }));
  assert.deepEqual([counts.metadata, counts.rejected], [short, 0]);
  const { documents = [] } = shipped.everything();
  const left = documents.filter((row) => row.includes('retention_class\\":\\"short'));
  assert.ok(left.length >= short);
  for (const row of left) assert.doesNotMatch(row, /sonnet/);
  assert.ok(left.some((row) => row.includes('claude-[PROJECT]-4-5')));
});

test('metadata for which names cannot be found wait, and what cannot be masked is left out and told', async (t) => {
  const { shipped, short } = await shortExpired(t);
  const find = () => Promise.reject(new SkilltapeError('masking_failed', 'the finder of names failed'));
  const away = await rebuildIndex(shipped.rebuilding(t, { names: { find } }));
  assert.deepEqual([away.kind, 'reason' in away && away.reason], ['waiting', 'the finder of names failed']);
  const options = shipped.rebuilding(t, {
    masker: {
      json(value, masking) {
        if (/"keep":"metadata","retention_class":"short"/.test(JSON.stringify(value)))
          throw new RangeError('ada@example.org');
        return masker.json(value, masking);
      },
    },
  });
  const { kind, counts } = await rebuildIndex(options);
  assert.deepEqual([kind, counts.metadata, counts.rejected], ['in_place', 0, short]);
  assert.equal(options.said.filter((line) => line.endsWith(' RangeError')).length, short);
  const { documents } = shipped.everything();
  assert.doesNotMatch(documents?.join() ?? '', /retention_class\\":\\"short/);
});

/** Row by row: what differs is told without what does not. */
function assertSame(shipped: Shipped, before: Record<string, string[]>): void {
  for (const [table, rows] of Object.entries(shipped.everything())) {
    const [now, then] = [new Set(rows), new Set(before[table])];
    const differing = [...now].filter((row) => !then.has(row));
    assert.deepEqual(differing.slice(0, 4), [], table);
    assert.equal(rows.length, before[table]?.length, table);
  }
}

async function searches(directory: string): Promise<unknown[]> {
  const index = SqliteSearch.open(directory);
  const queries = [
    {},
    { noise: true },
    { text: 'question' },
    { text: 'answer to' },
    { user: 'u-eve' },
    { maskingFailed: true },
  ];
  const pages: unknown[] = [];
  for (const query of queries) pages.push(await index.search({ ...query, limit: 100 }));
  pages.push(await index.session('session-1'), await index.usage({ by: ['user', 'model'] }));
  await index.close();
  return pages;
}
