import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { erasePerson } from '../../../extproc/keys/erase.ts';
import { RevealKeeper, type Values } from '../../../extproc/reveal/keeper.ts';
import { openRows, personsOf, type Revealed } from '../../../extproc/reveal/open.ts';
import { RevealStore, readSealed, revealFile } from '../../../extproc/reveal/store.ts';
import { alice, bob, type Keyring, keyring } from '../keys/keyring.ts';

const MiB = 1024 * 1024;
const email = '[EMAIL:00a1b2c3d4e5f607]';
const address = '[IP:10a1b2c3d4e5f607]';

type Rig = Keyring & {
  store: RevealStore;
  failures: string[];
  keep: (...exchanges: Partial<Values>[]) => Promise<void>;
  reveal: (session: string, ...tokens: string[]) => Promise<Revealed[]>;
};

async function rig(
  context: TestContext,
  more: { keptDays?: number; nowMs?: () => number; maxBytes?: number } = {},
): Promise<Rig> {
  const keys = await keyring(context);
  const { dataDirectory, sealer, opener } = keys;
  const store = RevealStore.open(dataDirectory, more.maxBytes ?? 64 * MiB);
  context.after(() => store.close());
  const failures: string[] = [];
  const onFailed = (exchanges: number, reason: string) => failures.push(`${exchanges} ${reason}`);
  const keeper = new RevealKeeper({ store, sealer, keptDays: 30, onFailed, ...more });
  const usual = { session: 's-1', person: alice as Values['person'], retentionClass: 'standard', values: new Map() };
  return {
    ...{ ...keys, store, failures },
    keep: (...exchanges) => keeper.keep(exchanges.map((exchange) => ({ ...usual, ...exchange }))),
    reveal: (session, ...tokens) => openRows(opener, session, tokens, readSealed(dataDirectory, session, tokens)),
  };
}

function valuesIn(file: string): number {
  const database = new DatabaseSync(file, { readOnly: true });
  const { count } = database.prepare('select count(*) as count from sealed_values').get() ?? {};
  database.close();
  return Number(count);
}

test('a value is turned back by its token, within its session and for nobody else', async (context) => {
  const { keep, reveal, failures } = await rig(context);
  await keep(
    {
      values: new Map([
        [email, 'ada@example.org'],
        [address, '192.0.2.7'],
      ]),
    },
    { session: 's-2', person: bob as Values['person'], values: new Map([[email, 'bob@example.org']]) },
    { session: 's-3', person: null, values: new Map([[email, 'nobody@example.org']]) },
  );
  assert.deepEqual(failures, []);
  assert.deepEqual(await reveal('s-1', address, email, '[MAC:0000000000000000]'), [
    { kind: 'revealed', token: address, value: '192.0.2.7' },
    { kind: 'revealed', token: email, value: 'ada@example.org' },
    { kind: 'not_kept', token: '[MAC:0000000000000000]' },
  ]);
  assert.deepEqual(await reveal('s-2', email), [{ kind: 'revealed', token: email, value: 'bob@example.org' }]);
  assert.deepEqual(await reveal('s-3', email), [{ kind: 'revealed', token: email, value: 'nobody@example.org' }]);
});

test('no value is readable in any file of the store', async (context) => {
  const { keep, dataDirectory } = await rig(context);
  await keep({ values: new Map([[email, 'ada.lovelace@example.org']]) });
  for (const end of ['', '-wal']) {
    const bytes = readFileSync(`${revealFile(dataDirectory)}${end}`, 'latin1');
    assert.doesNotMatch(bytes, /lovelace|alice-7f3a/, end);
  }
});

test('equal values of a batch are different under the seal: no nonce comes twice', async (context) => {
  const { keep, dataDirectory } = await rig(context);
  await keep({
    values: new Map([
      [email, 'same@example.org'],
      [address, 'same@example.org'],
    ]),
  });
  const [one, two] = readSealed(dataDirectory, 's-1', [email, address]);
  assert.equal(one?.context, two?.context);
  const withoutTag = (value: Uint8Array = new Uint8Array()) => Buffer.from(value).subarray(0, -16).toString('hex');
  assert.notEqual(withoutTag(one?.value), withoutTag(two?.value));
});

test('each value is kept once for a session and token, and all of a batch are sealed under one key', async (context) => {
  const { keep, dataDirectory } = await rig(context);
  const values = new Map(
    Array.from({ length: 50 }, (_, at) => [`[EMAIL:${String(at).padStart(16, 'a')}]`, `${at}@x.org`]),
  );
  await keep({ values }, { values });
  await keep({ values });
  assert.equal(valuesIn(revealFile(dataDirectory)), 50);
  const rows = readSealed(dataDirectory, 's-1', [...values.keys()]);
  assert.equal(new Set(rows.map(({ context: of }) => of)).size, 1);
  assert.equal(new Set(rows.map(({ counter }) => counter)).size, 50);
  assert.equal(personsOf(rows).length, 1);
});

test('after a person was erased nothing of theirs can be revealed, and what comes later can', async (context) => {
  let nowMs = 1_700_000_000_000;
  const { keep, reveal, dataDirectory } = await rig(context, { nowMs: () => nowMs });
  await keep(
    { values: new Map([[email, 'ada@example.org']]) },
    { session: 's-2', person: bob as Values['person'], values: new Map([[email, 'bob@example.org']]) },
  );
  await erasePerson({ dataDirectory, person: alice, nowMs: () => nowMs });
  assert.deepEqual(await reveal('s-1', email), [{ kind: 'erased', token: email, erasedMs: nowMs }]);
  assert.equal((await reveal('s-2', email))[0]?.kind, 'revealed');
  nowMs += 3_600_000;
  await keep({ values: new Map([[email, 'ada@example.org']]) });
  assert.equal((await reveal('s-1', email))[0]?.kind, 'revealed');
});

test('a sealed value that was moved to another token or session does not open', async (context) => {
  const { keep, reveal, dataDirectory } = await rig(context);
  await keep({
    values: new Map([
      [email, 'ada@example.org'],
      [address, '192.0.2.7'],
    ]),
  });
  const database = new DatabaseSync(revealFile(dataDirectory));
  database.prepare('update sealed_values set session = ? where token = ?').run('s-9', email);
  database.prepare('update sealed_values set token = ? where token = ?').run('[MAC:0000000000000001]', address);
  database.close();
  await assert.rejects(reveal('s-9', email), { code: 'key_invalid', message: /changed or moved/ });
  await assert.rejects(reveal('s-1', '[MAC:0000000000000001]'), { code: 'key_invalid' });
});

test('values go when they are older than they may be, and at the limit of bytes the oldest', async (context) => {
  let nowMs = 0;
  const dayMs = 86_400_000;
  const { keep, reveal } = await rig(context, { keptDays: 2, nowMs: () => nowMs });
  await keep({ values: new Map([[email, 'ada@example.org']]) });
  nowMs = 2 * dayMs;
  await keep({ values: new Map([[address, '192.0.2.7']]) });
  assert.equal((await reveal('s-1', email))[0]?.kind, 'revealed');
  nowMs += 60_001;
  await keep({});
  assert.equal((await reveal('s-1', email))[0]?.kind, 'not_kept');
  assert.equal((await reveal('s-1', address))[0]?.kind, 'revealed');
});

test('the store stays near its limit however much is kept', async (context) => {
  let nowMs = 0;
  const maxBytes = MiB;
  const { keep, reveal, store } = await rig(context, { maxBytes, nowMs: () => nowMs });
  let last = '';
  for (let round = 0; round < 40; round++) {
    nowMs += 60_001;
    const values = new Map(
      Array.from({ length: 20 }, (_, at) => [`[EMAIL:${`${round}a${at}`.padStart(16, 'b')}]`, 'x'.repeat(4000)]),
    );
    await keep({ values });
    last = [...values.keys()].at(-1) ?? '';
    assert.ok(store.bytes() < 1.3 * maxBytes, `${store.bytes()} bytes in round ${round}`);
  }
  assert.equal((await reveal('s-1', last))[0]?.kind, 'revealed');
});

test('whatever fails leaves no row and is told once in a while, never thrown', async () => {
  let nowMs = 0;
  const failures: string[] = [];
  const added: unknown[] = [];
  const keeper = new RevealKeeper({
    store: { add: (batches) => added.push(batches), prune: () => 0 },
    sealer: { sealedKeyFor: () => Promise.reject(new Error('no master public key')) },
    keptDays: 1,
    onFailed: (exchanges, reason) => failures.push(`${exchanges} ${reason}`),
    nowMs: () => nowMs,
  });
  const exchange = {
    session: 's',
    person: null,
    retentionClass: 'standard',
    values: new Map([[email, 'ada@example.org']]),
  };
  await keeper.keep([exchange, exchange]);
  await keeper.keep([exchange]);
  nowMs = 61_000;
  await keeper.keep([exchange]);
  assert.deepEqual(failures, ['2 no master public key', '2 no master public key']);
  assert.deepEqual(added, []);
  assert.doesNotMatch(failures.join(), /ada@/);
});
