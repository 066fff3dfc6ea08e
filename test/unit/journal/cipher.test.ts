import assert from 'node:assert/strict';
import { test } from 'node:test';
import { segmentCipher } from '../../../extproc/journal/cipher.ts';
import { decodeFrame, type FrameHead } from '../../../extproc/journal/format.ts';

const journalKey = new Uint8Array(32).fill(1);
const header = { version: 2, sequence: 1, id: new Uint8Array(16).fill(2), createdMs: 5 };
const head: FrameHead = { kind: 'record', payloadBytes: 7, records: 1, frameNumber: 4, syncedOffset: 44 };

function sealedFrame(given: FrameHead = head) {
  const parts = given.payloadBytes === 0 ? [] : [Buffer.from('pay'), Buffer.from('load')];
  const frame = decodeFrame(Buffer.concat(segmentCipher(journalKey, header).seal(given, 200, parts)));
  assert.ok(frame.status === 'frame');
  return frame;
}

test('a frame opens with the same key, segment, offset and head', () => {
  const frame = sealedFrame();
  const payload = segmentCipher(journalKey, header).open(frame.head, frame.headBytes, 200, frame.sealed);
  assert.equal(Buffer.from(payload ?? []).toString(), 'payload');
});

test('a frame opens nowhere else', () => {
  const { head: read, headBytes, sealed } = sealedFrame();
  const opened = segmentCipher(journalKey, header).open(read, headBytes, 201, sealed);
  assert.equal(opened, undefined, 'another offset');
  const others = [
    { ...header, sequence: 2 },
    { ...header, id: new Uint8Array(16) },
    { ...header, createdMs: 6 },
  ];
  for (const other of others) {
    assert.equal(segmentCipher(journalKey, other).open(read, headBytes, 200, sealed), undefined);
  }
  assert.equal(segmentCipher(new Uint8Array(32), header).open(read, headBytes, 200, sealed), undefined);
  for (let at = 0; at < 16; at += 1) {
    const changed = Buffer.from(headBytes);
    changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
    assert.equal(segmentCipher(journalKey, header).open(read, changed, 200, sealed), undefined, `head byte ${at}`);
  }
});

test('a record and an end mark of the same number do not share a nonce', () => {
  const record = sealedFrame({ ...head, payloadBytes: 0, syncedOffset: 0 });
  const end = sealedFrame({ ...head, kind: 'end', payloadBytes: 0, records: 0, syncedOffset: 0 });
  assert.notDeepEqual(record.sealed, end.sealed);
  const again = sealedFrame({ ...head, kind: 'end', payloadBytes: 0, records: 0, syncedOffset: 0 });
  assert.deepEqual(end.sealed, again.sealed, 'made again it is the same, so a repeated recovery gives nothing away');
});
