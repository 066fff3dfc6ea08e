import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ExchangeLimits } from '../../../extproc/exchange/ports.ts';
import type { ExchangeRecord } from '../../../extproc/exchange/record.ts';
import { encodeRecord } from '../../../extproc/exchange/record.ts';
import { RequestBody } from '../../../extproc/exchange/request-body.ts';
import { Share } from '../../../extproc/exchange/share.ts';
import { createRig } from './rig.ts';

const exchangeId = '01890a5d-ac96-774b-bcce-b302099a8057';

function bodies(limits: Partial<ExchangeLimits>) {
  const { context, log } = createRig({ requestBodyMaxBytes: 100_000, ...limits });
  const write = (record: Partial<ExchangeRecord> & { bytes: Uint8Array }) =>
    log.append(encodeRecord({ exchangeId, timeMs: 1, kind: 'request_body', ...record } as ExchangeRecord));
  const open = (caller = 'alice') => {
    const share = new Share(context);
    assert.equal(share.open(caller), null);
    const body = new RequestBody(context, share, exchangeId);
    const ledger = { note: (chunk: { bytes: Uint8Array }) => void write(chunk), store: write };
    return { body, share, add: (bytes: Uint8Array) => body.add(bytes, ledger) };
  };
  return { context, log, write, open };
}

test('whatever memory has room for, the same bytes are released, and everything is given back', async () => {
  const chunks = fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(chunks, fc.integer({ min: 150, max: 6_000 }), fc.nat(12), async (all, heldBodyMaxBytes, taken) => {
      const { context, open } = bodies({ heldBodyMaxBytes, spooledBodyMaxBytes: 10_000 });
      const { body, share, add } = open();
      const whole: Uint8Array[] = [];
      for (const chunk of all) if ((await add(chunk)) === 'taken') whole.push(chunk);
      assert.equal(body.bytes, Buffer.concat(whole).length);
      assert.ok(context.budget.heldBodyBytes <= heldBodyMaxBytes);
      const released: Uint8Array[] = [];
      for await (const piece of body.release()) {
        released.push(piece);
        if (released.length > taken) break;
      }
      const passed = Buffer.concat(released);
      assert.deepEqual(passed, Buffer.concat(whole).subarray(0, passed.length));
      if (released.length <= taken) assert.equal(passed.length, Buffer.concat(whole).length);
      body.forget();
      share.close();
      assert.deepEqual(context.budget, { openExchanges: 0, heldBodyBytes: 0 });
      assert.equal(context.spool.heldBytes, 0);
      assert.equal(context.callers.size, 0);
    }),
  );
});

test('once a chunk is in the log alone all later ones are, though memory has room again', async () => {
  const { context, open } = bodies({ heldBodyMaxBytes: 1_000 });
  const [first, second] = [open(), open()];
  assert.equal(await first.add(Buffer.alloc(600, 1)), 'taken');
  assert.equal(await second.add(Buffer.alloc(600, 2)), 'taken');
  assert.equal(context.spool.heldBytes, 600);
  first.body.forget();
  assert.equal(await second.add(Buffer.alloc(10, 3)), 'taken');
  assert.equal(context.spool.heldBytes, 610);
  const expected = Buffer.concat([Buffer.alloc(600, 2), Buffer.alloc(10, 3)]);
  assert.deepEqual(Buffer.concat(await Array.fromAsync(second.body.release())), expected);
});

test('what is held in the log is limited, and so are the places that are remembered', async () => {
  const { open } = bodies({ heldBodyMaxBytes: 1_000, spooledBodyMaxBytes: 700 });
  const { add, body } = open();
  assert.equal(await add(Buffer.alloc(900)), 'held_bodies_at_limit');
  assert.equal(await add(Buffer.alloc(700)), 'taken', 'in memory');
  assert.equal(await add(Buffer.alloc(700)), 'taken', 'in the log');
  assert.equal(await add(Buffer.alloc(1)), 'held_bodies_at_limit');
  assert.equal(body.bytes, 1_400);

  const small = bodies({ heldBodyMaxBytes: 1_000 });
  const single = small.open();
  await single.add(Buffer.alloc(870));
  const answers: string[] = [];
  for (let count = 0; count < 10; count += 1) answers.push(await single.add(Buffer.alloc(10)));
  assert.equal(answers.at(-1), 'held_bodies_at_limit');
  assert.ok(small.context.budget.heldBodyBytes <= 1_000);
});

test('one caller is refused at the share of one caller, and another is not', async () => {
  const { open } = bodies({ heldBodyMaxBytes: 10_000, heldBodyPerCallerMaxBytes: 1_000 });
  const [first, second, other] = [open(), open(), open('bob')];
  assert.equal(await first.add(Buffer.alloc(600)), 'taken');
  assert.equal(await second.add(Buffer.alloc(600)), 'caller_held_bodies_at_limit');
  assert.equal(await other.add(Buffer.alloc(600)), 'taken');
  first.body.forget();
  assert.equal(await second.add(Buffer.alloc(600)), 'taken');
});

for (const [name, change] of [
  ['another exchange', { exchangeId: '01890a5d-ac96-774b-bcce-b302099a8058' }],
  ['another kind', { kind: 'answer_body' }],
  ['another length', { bytes: Buffer.alloc(699, 5) }],
] as const) {
  test(`a stored part whose place holds ${name} is not released`, async () => {
    const { log, write, open } = bodies({ heldBodyMaxBytes: 200 });
    const { body, add } = open();
    const bytes = Buffer.alloc(700, 5);
    await add(bytes);
    await write({ bytes, ...change } as never);
    log.payloads[0] = log.payloads[1] as Buffer;
    await assert.rejects(Array.fromAsync(body.release()), /not where it was written/);
  });
}
