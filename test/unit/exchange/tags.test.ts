import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { tagsHeader, tagsOf } from '../../../extproc/exchange/tags.ts';

const tags = (...values: string[]) => tagsOf(values.map((value) => [tagsHeader, value] as const));

test('tags are read from one header or from several, whatever the spaces', () => {
  assert.deepEqual(tags('project=apollo, cost-center=4711'), { project: 'apollo', 'cost-center': '4711' });
  assert.deepEqual(tags('project=apollo', 'team=a/b@c+d:1.2'), { project: 'apollo', team: 'a/b@c+d:1.2' });
  assert.deepEqual(tagsOf([]), {});
});

test('a header in which two readers could find different tags says nothing at all', () => {
  const odd = [
    ...['project', 'project=', '=x', 'project=a=b', 'Project=a', 'project=a,', 'project=a;b', 'project=a b', 'p=ä'],
    ...['project=a, project=b', `project=${'a'.repeat(65)}`, '__proto__=a', `${'p'.repeat(33)}=a`, 'project=-a'],
    Array.from({ length: 17 }, (_, at) => `t${at}=1`).join(),
    ...['project=\u0000', `project=a${' '.repeat(2_100)}`],
  ];
  for (const value of odd) assert.deepEqual(tags(value), {}, value);
  assert.deepEqual(tags('project=a', 'project=b'), {});
});

test('whatever a caller writes, a tag is a short plain text', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary' })), (values) => {
      for (const [name, value] of Object.entries(tags(...values)))
        assert.match(`${name}=${value}`, /^[\x21-\x7e]{3,97}$/);
    }),
  );
});
