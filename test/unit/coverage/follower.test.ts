import assert from 'node:assert/strict';
import { appendFileSync, copyFileSync, renameSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Follower, type LogEvent, type LogPlace } from '../../../extproc/coverage/follower.ts';
import { temporaryDirectory } from '../../builders/directory.ts';

const lineMaxBytes = 1_024;

/** A log and whoever reads it; `again` is a reader that knows nothing but the place that was saved. */
class Rig {
  readonly file: string;
  place: LogPlace | null = null;
  #follower: Follower;

  constructor(t: TestContext) {
    this.file = join(temporaryDirectory(t), 'access.log');
    this.#follower = this.#open();
    t.after(() => this.#follower.close());
  }

  append(text: string): void {
    appendFileSync(this.file, text);
  }

  async again(): Promise<void> {
    await this.#follower.close();
    this.#follower = this.#open();
  }

  /** Everything up to the end of the log as it is now, as short texts. */
  async read(): Promise<string[]> {
    const events: LogEvent[] = [];
    for (let reads = 0; reads < 1_000; reads++) {
      const read = await this.#follower.read(this.place);
      if (read.kind === 'waiting') return [...events.map(shortOf), `waiting: ${read.reason}`];
      this.place = JSON.parse(JSON.stringify(read.place)) as LogPlace;
      events.push(...read.events);
      if (read.atEnd) return events.map(shortOf);
    }
    throw new Error('the log has no end');
  }

  #open(): Follower {
    return new Follower({ file: this.file, lineMaxBytes });
  }
}

function shortOf(event: LogEvent): string {
  return event.kind === 'line' ? event.text : event.kind;
}

/** Rotation happens once a day; here the times of the files are told apart by hand. */
function age(file: string, seconds: number): void {
  utimesSync(file, 1_700_000_000 - seconds, 1_700_000_000 - seconds);
}

test('a log that is not there yet is waited for, then read from its begin', async (t) => {
  const rig = new Rig(t);
  assert.deepEqual(await rig.read(), [`waiting: ${rig.file} is not there`]);
  rig.append('one\ntwo\n');
  assert.deepEqual(await rig.read(), ['one', 'two']);
  assert.deepEqual(await rig.read(), []);
  rig.append('three\n');
  assert.deepEqual(await rig.read(), ['three']);
});

test('a line is read once and whole, wherever its writing and our reading are cut', async (t) => {
  const whole = 'first line\nzwölf Boxkämpfer\n\n{"third":3}\n';
  const bytes = Buffer.from(whole);
  for (let cut = 0; cut <= bytes.length; cut++) {
    const rig = new Rig(t);
    writeFileSync(rig.file, bytes.subarray(0, cut));
    const before = await rig.read();
    if (cut % 2 === 0) await rig.again();
    appendFileSync(rig.file, bytes.subarray(cut));
    assert.deepEqual([...before, ...(await rig.read())], ['first line', 'zwölf Boxkämpfer', '{"third":3}'], `${cut}`);
  }
});

test('what was read and not settled is read again from the old place', async (t) => {
  const rig = new Rig(t);
  rig.append('one\n');
  await rig.read();
  const { place } = rig;
  rig.append('two\n');
  assert.deepEqual(await rig.read(), ['two']);
  rig.place = place;
  assert.deepEqual(await rig.read(), ['two']);
});

for (const restart of [false, true]) {
  const when = restart ? 'while nobody read' : 'while it is read';
  test(`rotation by rename ${when}: the old file is read to its end, then the new one`, async (t) => {
    const rig = new Rig(t);
    rig.append('one\n');
    await rig.read();
    renameSync(rig.file, `${rig.file}.1`);
    assert.deepEqual(await rig.read(), [], 'Envoy still writes to the old one');
    appendFileSync(`${rig.file}.1`, 'two\n');
    if (restart) await rig.again();
    rig.append('three\n');
    assert.deepEqual(await rig.read(), ['two', 'three']);
  });

  test(`rotation by copying and cutting ${when}: what the copy has and was not read is read there`, async (t) => {
    const rig = new Rig(t);
    rig.append('one\n');
    await rig.read();
    rig.append('two\n');
    copyFileSync(rig.file, `${rig.file}.1`);
    truncateSync(rig.file, 0);
    age(`${rig.file}.1`, 60);
    if (restart) await rig.again();
    rig.append('three, longer than what was there before\n');
    assert.deepEqual(await rig.read(), ['two', 'three, longer than what was there before']);
  });
}

test('several rotations while nobody read are gone through from the oldest on', async (t) => {
  const rig = new Rig(t);
  rig.append('one\n');
  await rig.read();
  rig.append('two\n');
  renameSync(rig.file, `${rig.file}.3`);
  writeFileSync(`${rig.file}.2`, 'three\n');
  writeFileSync(`${rig.file}-20231114`, 'four\n');
  writeFileSync(`${rig.file}.4`, 'read long ago\n');
  age(`${rig.file}.4`, 400);
  age(`${rig.file}.3`, 300);
  age(`${rig.file}.2`, 200);
  age(`${rig.file}-20231114`, 100);
  rig.append('five\n');
  await rig.again();
  assert.deepEqual(await rig.read(), ['two', 'three', 'four', 'five']);
});

test('a new file that is empty is no sign that Envoy left the old one', async (t) => {
  const rig = new Rig(t);
  rig.append('one\n');
  await rig.read();
  renameSync(rig.file, `${rig.file}.1`);
  writeFileSync(rig.file, '');
  appendFileSync(`${rig.file}.1`, 'two\n');
  assert.deepEqual(await rig.read(), ['two']);
  rig.append('three\n');
  assert.deepEqual(await rig.read(), ['three']);
});

test('a log that was cut or replaced with nothing beside it is a gap, also when it has grown beyond our place', async (t) => {
  const rig = new Rig(t);
  rig.append('one\n');
  await rig.read();
  truncateSync(rig.file, 0);
  rig.append('another one, and longer\n');
  assert.deepEqual(await rig.read(), ['gap', 'another one, and longer']);
  rmSync(rig.file);
  writeFileSync(`${rig.file}.new`, 'replaced\n');
  renameSync(`${rig.file}.new`, rig.file);
  await rig.again();
  assert.deepEqual(await rig.read(), ['gap', 'replaced']);
});

test('a compressed copy cannot be read on: a gap', async (t) => {
  const rig = new Rig(t);
  rig.append('one\n');
  await rig.read();
  copyFileSync(rig.file, `${rig.file}.1.gz`);
  truncateSync(rig.file, 0);
  rig.append('two\n');
  assert.deepEqual(await rig.read(), ['gap', 'two']);
});

test('a line that is longer than is read counts once, in however many pieces it comes, and the next one is read', async (t) => {
  const rig = new Rig(t);
  rig.append('a'.repeat(lineMaxBytes));
  assert.deepEqual(await rig.read(), []);
  rig.append('a');
  assert.deepEqual(await rig.read(), ['unreadable']);
  rig.append('a'.repeat(700_000));
  await rig.again();
  assert.deepEqual(await rig.read(), []);
  rig.append('\nnext\n');
  assert.deepEqual(await rig.read(), ['next']);
  rig.append(`${'b'.repeat(lineMaxBytes + 1)}\n${'c'.repeat(lineMaxBytes)}\n`);
  assert.deepEqual(await rig.read(), ['unreadable', 'c'.repeat(lineMaxBytes)]);
});

test('the rest of a line at the end of a file that Envoy left is unreadable', async (t) => {
  const rig = new Rig(t);
  rig.append('one\ntor');
  assert.deepEqual(await rig.read(), ['one']);
  renameSync(rig.file, `${rig.file}.1`);
  rig.append('two\n');
  assert.deepEqual(await rig.read(), ['unreadable', 'two']);
});

test('what is no regular file is not read', async (t) => {
  const rig = new Rig(t);
  const follower = new Follower({ file: '/dev/null', lineMaxBytes });
  assert.deepEqual(await follower.read(null), { kind: 'waiting', reason: '/dev/null is no regular file' });
  assert.equal(rig.place, null);
});
