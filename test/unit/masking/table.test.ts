import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scan } from '../../../extproc/masking/scan.ts';
import { Tables } from '../../../extproc/masking/table.ts';

const nameOver = (text: string, cell: string): string => new Tables(text).nameAt(text.indexOf(cell));

test('a cell has the name of its column, whatever stands between cells', () => {
  for (const mark of [',', ';', '\t', ' | ']) {
    const table = [
      ['id', 'Phone number', 'SSN'],
      ['1', 'aaa', 'bbb'],
      ['2', 'ccc', 'ddd'],
    ].map((row) => row.join(mark));
    const text = `Here it is:\n${table.join('\n')}\nand more, text`;
    assert.equal(nameOver(text, 'aaa').trim(), 'Phone number', JSON.stringify(mark));
    assert.equal(nameOver(text, 'ddd').trim(), 'SSN', JSON.stringify(mark));
    assert.equal(nameOver(text, 'and more'), '', JSON.stringify(mark));
  }
});

test('a mark in quotes is no border, and a line of another shape ends the table', () => {
  assert.equal(nameOver('name,ssn\n"Doe, J",xyz\n', 'xyz'), 'ssn');
  assert.equal(nameOver('name,ssn\na,b,xyz\n', 'xyz'), '');
  assert.equal(nameOver('1,2\na,xyz\n', 'xyz'), '');
});

test('a number that is nothing by itself is what its column says, though the name stands far above', () => {
  const rows = Array.from({ length: 40 }, (_, at) => `${at};someone;222 123 5710;198 93 0653`);
  const text = `id;name;phone;ssn\n${rows.join('\n')}\n`;
  const types = scan(text).map(({ type }) => type);
  assert.deepEqual(
    types,
    rows.flatMap(() => ['PHONE', 'SSN']),
  );
  assert.deepEqual(scan(text.replace('phone;ssn', 'total;count')), []);
});

test('a URL in a cell ends with it', () => {
  const found = scan('id,url,ssn\n1,https://u:hunter2x@example.com/a,198-93-0653\n').map(({ type }) => type);
  assert.deepEqual(found, ['SECRET', 'SSN']);
});
