import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { endReportsIn } from '../../../extproc/wire/access-log.ts';

/** Bytes of a real Envoy 1.40, configured as envoy/envoy.yaml: each file is one message. */
function captured(name: string): Buffer {
  return readFileSync(new URL(`../../fixtures/access-log/${name}.bin`, import.meta.url));
}

const cases = [
  ['client-gone', 'client', 'DC downstream_remote_disconnect'],
  ['client-reset', 'client', 'DR http2.remote_reset'],
  ['upstream-reset', 'upstream', 'UPE upstream_reset_after_response_started{protocol_error}'],
  ['idle', 'gateway', 'SI stream_idle_timeout'],
  ['duration', 'gateway', 'max_duration_timeout'],
] as const;

for (const [name, by, detail] of cases) {
  test(`what Envoy reports of ${name} names the exchange and who broke it off`, () => {
    const [first, ...more] = endReportsIn(captured(name));
    assert.deepEqual(more, []);
    assert.match(first?.exchangeId ?? '', /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    assert.deepEqual(first?.report, { by, detail });
  });
}

/** Protobuf's length-delimited field; lengths below 128. */
function field(number: number, content: string | Buffer): Buffer {
  const bytes = Buffer.from(content);
  const tag = number * 8 + 2;
  const head = tag < 128 ? [tag] : [(tag & 0x7f) | 0x80, tag >> 7];
  return Buffer.concat([Buffer.from([...head, bytes.length]), bytes]);
}

function metadata(filter: string, key: string, value: string): Buffer {
  const struct = field(1, Buffer.concat([field(1, key), field(2, field(3, value))]));
  return field(17, field(1, Buffer.concat([field(1, filter), field(2, struct)])));
}

const flagged = (flag: number) =>
  field(16, Buffer.from([((flag * 8) & 0x7f) | (flag > 15 ? 0x80 : 0), ...(flag > 15 ? [1] : []), 1]));
const entry = (...common: Buffer[]) => field(1, field(1, Buffer.concat(common)));
const message = (...entries: Buffer[]) => field(2, Buffer.concat(entries));

test('several entries of one message are each read, and the node that the first message names is passed over', () => {
  const bytes = message(
    entry(flagged(7), metadata('skilltape', 'exchange', 'a')),
    entry(metadata('skilltape', 'exchange', 'b'), flagged(28)),
  );
  assert.deepEqual(
    endReportsIn(Buffer.concat([field(1, 'a node'), bytes])).map(({ exchangeId, report }) => [exchangeId, report]),
    [
      ['a', { by: 'upstream', detail: 'UC' }],
      ['b', { by: 'client', detail: 'DR' }],
    ],
  );
});

test('an id in the metadata of another filter, or under another key, is none: tokens hold what callers chose', () => {
  const bytes = message(
    entry(flagged(15), metadata('envoy.filters.http.jwt_authn', 'exchange', 'forged')),
    entry(flagged(15), metadata('skilltape', 'verdict', 'forged')),
    entry(flagged(15)),
  );
  assert.deepEqual(endReportsIn(bytes), []);
});

test('a flag that tells no side, and none at all, are limits of Envoy', () => {
  for (const common of [flagged(1), Buffer.alloc(0)]) {
    const [report] = endReportsIn(message(entry(common, metadata('skilltape', 'exchange', 'a'))));
    assert.deepEqual(report?.report, { by: 'gateway', detail: '' });
  }
});

test('details are made printable', () => {
  const details = field(4, field(6, `\u0007${'x'.repeat(30)}`));
  const bytes = field(2, field(1, Buffer.concat([field(1, metadata('skilltape', 'exchange', 'a')), details])));
  const [report] = endReportsIn(bytes);
  assert.match(report?.report.detail ?? '', /^\?x{30}$/);
});

test('a message that is cut anywhere throws or says less, and ends no process', () => {
  const bytes = captured('idle');
  for (let length = 0; length < bytes.length; length += 1) {
    try {
      assert.ok(endReportsIn(bytes.subarray(0, length)).length <= 1);
    } catch (error) {
      assert.match(String(error), /no protobuf/);
    }
  }
});
