import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { ChatPart } from '../extproc/export/chat.ts';
import type { ChatSink } from '../extproc/export/sink.ts';
import type { IndexSink } from '../extproc/index/port.ts';
import type { LookLog } from '../extproc/looks/look-log.ts';
import type { renderTranscript } from '../extproc/terminal/transcript.ts';
import type { ExchangeDocument } from '../extproc/transcript/document.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const sources = globSync('extproc/**/*.{ts,mjs}', { cwd: root }).map((file) => file.replaceAll('\\', '/'));

/** Which folder of extproc/ may import which; `extproc/README.md` has the same as a table. */
const allowed: Record<string, readonly string[]> = {
  claude: [],
  journal: [],
  keys: [],
  masking: [],
  config: [],
  tools: [],
  upload: [],
  encoding: [],
  policy: ['claude', 'encoding', 'masking'],
  live: ['policy'],
  versions: [],
  envoy: ['config', 'workers'],
  doctor: ['config', 'demo'],
  login: [],
  exchange: ['claude', 'encoding', 'masking', 'policy', 'upload'],
  approvals: ['exchange', 'index', 'masking'],
  grants: ['exchange', 'index', 'policy'],
  notify: ['approvals', 'grants', 'index', 'terminal'],
  wire: ['exchange'],
  release: ['exchange'],
  archive: ['exchange', 'journal'],
  reading: ['encoding', 'exchange', 'journal', 'masking'],
  transcript: ['claude', 'encoding', 'exchange', 'masking', 'policy', 'upload'],
  index: ['exchange', 'masking', 'transcript'],
  kibana: ['exchange', 'transcript'],
  operations: ['exchange', 'journal', 'ship'],
  reveal: ['index', 'keys'],
  stops: ['index'],
  retention: ['archive', 'index', 'journal', 'keys'],
  looks: ['index', 'masking'],
  coverage: ['exchange', 'index', 'transcript'],
  usage: ['config', 'index'],
  terminal: ['approvals', 'coverage', 'grants', 'index', 'masking', 'transcript', 'usage'],
  console: ['approvals', 'exchange', 'grants', 'login', 'looks', 'masking', 'policy', 'stops', 'terminal'],
  ship: [
    ...['archive', 'coverage', 'encoding', 'exchange', 'index', 'journal', 'keys', 'masking', 'policy', 'reveal'],
    ...['retention', 'transcript', 'usage'],
  ],
  remask: ['archive', 'exchange', 'index', 'journal', 'masking', 'ship', 'transcript'],
  rebuild: ['archive', 'exchange', 'index', 'journal', 'remask', 'ship', 'transcript'],
  export: ['index', 'masking', 'terminal', 'transcript'],
  whatif: ['archive', 'exchange', 'journal', 'policy', 'remask', 'transcript'],
  workers: ['config', 'exchange', 'journal', 'operations', 'policy'],
  demo: ['config', 'envoy', 'index', 'looks', 'masking', 'terminal', 'tools', 'transcript', 'workers'],
  cli: [
    ...[
      'approvals',
      'archive',
      'config',
      'console',
      'coverage',
      'demo',
      'doctor',
      'envoy',
      'exchange',
      'export',
      'grants',
      'index',
      'journal',
      'keys',
      'kibana',
      'live',
      'login',
      'looks',
      'masking',
      'operations',
      'policy',
      'rebuild',
      'remask',
      'retention',
      'reveal',
      'stops',
      'terminal',
      'tools',
    ],
    ...['transcript', 'usage', 'versions', 'whatif'],
  ],
};
const composition = [
  ...[
    'processor.ts',
    'recorder.ts',
    'recovery.ts',
    'counted-use.ts',
    'known-owners.ts',
    'live-edit.ts',
    'judges.ts',
    'journal-space.ts',
    'left-journals.ts',
    'known.ts',
    'volume-guard.ts',
    'volume-watch.ts',
    'shipping.ts',
    'stop-heeding.ts',
    'ticket-watching.ts',
    'primary.ts',
    'worker.ts',
  ],
  ...['connections.ts', 'counted-use.ts', 'known-grants.ts', 'release-ways.ts'],
  ...['main.ts', 'bootstrap.mjs', 'skilltape.mjs'],
];

/** Packages and built-in modules that only these places may touch. */
const owners: Record<string, readonly string[]> = {
  // For tests alone: the other side of the wire, which must not share code with ours.
  '@grpc/grpc-js': [],
  '@grpc/proto-loader': [],
  'grpc-health-check': [],
  'node:http2': ['extproc/wire/'],
  '@open-policy-agent/opa-wasm': ['extproc/policy/'],
  '@elastic/elasticsearch': ['extproc/index/elasticsearch/'],
  commander: ['extproc/cli/'],
  'openid-client': ['extproc/console/', 'extproc/login/'],
  jose: ['extproc/console/', 'extproc/doctor/', 'extproc/login/'],
  fastify: ['extproc/console/'],
  '@fastify/cookie': ['extproc/console/'],
  pino: ['extproc/log.ts'],
  'prom-client': ['extproc/operations/'],
  'node:sqlite': [
    'extproc/approvals/',
    'extproc/coverage/',
    'extproc/grants/',
    'extproc/index/sqlite/',
    'extproc/looks/',
    'extproc/journal/',
    'extproc/login/',
    'extproc/notify/',
    'extproc/reveal/',
    'extproc/stops/',
  ],
  'node:worker_threads': [
    'extproc/approvals/',
    'extproc/notify/',
    'extproc/ticket-watching.ts',
    'extproc/policy/',
    'extproc/reading/',
    'extproc/ship/',
  ],
  '@fastify/busboy': ['extproc/upload/'],
  re2js: ['extproc/masking/'],
  yauzl: ['extproc/tools/', 'extproc/upload/'],
  nodemailer: ['extproc/notify/smtp.ts'],
  undici: [
    'extproc/cli/kibana-import.ts',
    'extproc/cli/demo-token.ts',
    'extproc/console/',
    'extproc/login/',
    'extproc/demo/',
  ],
  '@anthropic-ai/sdk': ['extproc/demo/'],
};

/**
 * What each thread of a running processor must not load at its start. Each has a heap of its own, in which modules stay
 * for good: the client of Elasticsearch alone takes 12 MB of it.
 */
const lazily: Record<string, readonly string[]> = {
  'extproc/main.ts': ['undici', '@elastic/elasticsearch', 're2js', 'extproc/masking/masker.ts'],
  'extproc/worker.ts': ['undici', '@elastic/elasticsearch', 're2js', 'extproc/masking/masker.ts', 'commander'],
  'extproc/ship/worker.ts': ['undici', '@elastic/elasticsearch', 're2js', 'commander'],
  'extproc/notify/worker.ts': ['nodemailer', 're2js', 'commander', 'zod', 'extproc/masking/masker.ts'],
  'extproc/reading/worker.ts': [
    'undici',
    '@elastic/elasticsearch',
    're2js',
    'commander',
    'zod',
    'extproc/masking/masker.ts',
  ],
};

/** What runs after a request was taken and needs neither disk nor network. */
const pure = /^extproc\/(claude|encoding|exchange|kibana|transcript)\//;
const io = /^node:(fs|net|http|https|http2|child_process|worker_threads|dgram|tls)/;

type Import = { from: string; to: string; isLazy: boolean };

function importsOf(file: string): Import[] {
  return importsIn(file, readFileSync(join(root, file), 'utf8'));
}

function importsIn(file: string, text: string): Import[] {
  const found = text.matchAll(
    /^(?:import|export|\})[^'"\n]*\bfrom '([^']+)'|^import '([^']+)'|\bimport\('([^']+)'\)/gm,
  );
  return [...found].map((match) => {
    const target = match[1] ?? match[2] ?? match[3] ?? '';
    const to = target.startsWith('.') ? normalize(join(dirname(file), target)) : target;
    return { from: file, to, isLazy: match[3] !== undefined };
  });
}

const imports = sources.flatMap(importsOf);
/** Without those of types, which load nothing. */
const valueImports = sources.flatMap((file) => {
  const text = readFileSync(join(root, file), 'utf8').replaceAll(/^(?:import|export) type [^;]*;/gm, '');
  return importsIn(file, text);
});

/** What a program loads at its start, itself included. */
function loadedBy(entry: string): Set<string> {
  const loaded = new Set([entry]);
  for (const file of loaded) {
    for (const { from, to, isLazy } of valueImports) if (from === file && !isLazy) loaded.add(to);
  }
  return loaded;
}

function folderOf(file: string): string {
  return file.split('/')[1] ?? '';
}

test('a folder imports only the folders that stand before it', () => {
  const broken = imports.filter(({ from, to }) => {
    if (!to.startsWith('extproc/')) return false;
    const [source, target] = [folderOf(from), folderOf(to)];
    if (composition.includes(source) || source === target || target.endsWith('.ts')) return false;
    return !(allowed[source] ?? []).includes(target);
  });
  assert.deepEqual(broken, []);
});

test('the files at the top of extproc/ put things together: folders use only the small ones', () => {
  const small = [
    'extproc/disk-fault.ts',
    'extproc/errors.ts',
    'extproc/keyed-hash.ts',
    'extproc/large-work.ts',
    'extproc/link-key.ts',
    'extproc/log.ts',
    'extproc/secret-file.ts',
  ];
  const broken = imports.filter(({ from, to }) => {
    const inFolder = from.split('/').length > 2;
    return inFolder && /^extproc\/[^/]+\.ts$/.test(to) && !small.includes(to) && !from.startsWith('extproc/cli/');
  });
  assert.deepEqual(broken, []);
});

test('every folder of extproc/ has its place in the import rules and in the README', () => {
  const folders = new Set(sources.map(folderOf).filter((folder) => !/\.(ts|mjs)$/.test(folder)));
  assert.deepEqual([...folders].sort(), Object.keys(allowed).sort());
  const readme = readFileSync(join(root, 'extproc/README.md'), 'utf8');
  for (const folder of folders) assert.match(readme, new RegExp(`\`${folder}/\``), folder);
});

test('the import rules have no circle', () => {
  const visit = (folder: string, path: readonly string[]): void => {
    assert.ok(!path.includes(folder), `circle: ${[...path, folder].join(' -> ')}`);
    for (const next of allowed[folder] ?? []) visit(next, [...path, folder]);
  };
  for (const folder of Object.keys(allowed)) visit(folder, []);
});

test('a package is touched only by the folder that owns it', () => {
  const broken = imports.filter(({ from, to }) => {
    const places = owners[to];
    return places !== undefined && !places.some((place) => from.startsWith(place));
  });
  assert.deepEqual(broken, []);
});

test('a thread loads what only some need when it needs it', () => {
  for (const [entry, absent] of Object.entries(lazily)) {
    const loaded = loadedBy(entry);
    assert.ok(loaded.size > 10, entry);
    assert.deepEqual(
      absent.filter((module) => loaded.has(module)),
      [],
      entry,
    );
  }
});

test('what records loads nothing that opens what is sealed to people', () => {
  for (const entry of ['extproc/main.ts', 'extproc/worker.ts', 'extproc/ship/worker.ts', 'extproc/reading/worker.ts']) {
    const loaded = loadedBy(entry);
    assert.deepEqual(
      ['extproc/keys/opener.ts', 'extproc/keys/master.ts', 'extproc/reveal/open.ts'].filter((file) => loaded.has(file)),
      [],
      entry,
    );
  }
});

test('what understands an exchange does no input or output', () => {
  assert.deepEqual(
    imports.filter(({ from, to }) => pure.test(from) && io.test(to)),
    [],
  );
});

test('the search of requests is loaded by the thread that reads bodies, when it is asked for, and by nothing else', () => {
  const search = 'extproc/exchange/request-findings.ts';
  assert.deepEqual(
    imports.filter(({ to }) => to === search).map(({ from }) => from),
    ['extproc/reading/worker.ts'],
  );
  assert.doesNotMatch(readFileSync(join(root, 'extproc/reading/worker.ts'), 'utf8'), /from '[^']*request-findings/);
});

test('product code imports test code only where the demo puts the fakes up', () => {
  const broken = imports.filter(({ from, to }) => to.startsWith('test/') && !/^extproc\/demo\//.test(from));
  assert.deepEqual(broken, []);
});

test('the environment is read by the command line and the tool resolver only', () => {
  const readers = sources.filter(
    (file) => readFileSync(join(root, file), 'utf8').match(/\bprocess\.env\b(?!')/) !== null,
  );
  const broken = readers.filter((file) => !/^extproc\/(cli|tools|demo|looks)\/|^extproc\/bootstrap\.mjs$/.test(file));
  assert.deepEqual(broken, []);
});

test('no source file has more than 300 lines', () => {
  const long = sources
    .map((file) => ({ file, lines: readFileSync(join(root, file), 'utf8').split('\n').length - 1 }))
    .filter(({ lines }) => lines > 300);
  assert.deepEqual(long, []);
});

test('only the masker makes masked values, and stores give back what they were given', () => {
  const casts = sources.filter((file) => /\bas (unknown as )?Masked</.test(readFileSync(join(root, file), 'utf8')));
  const reviewed =
    /^extproc\/(masking\/|index\/(hit|sqlite\/stored|elasticsearch\/stored)\.ts$|looks\/sqlite-look-log\.ts$)/;
  assert.deepEqual(
    casts.filter((file) => !reviewed.test(file)),
    [],
  );
  const derivers = imports.filter(({ from, to }) => {
    return to === 'extproc/masking/masked.ts' && readFileSync(join(root, from), 'utf8').includes('deriveMasked(');
  });
  assert.deepEqual([...new Set(derivers.map(({ from }) => from))].sort(), [
    'extproc/exchange/summary-mask.ts',
    'extproc/export/chat.ts',
    'extproc/transcript/masked-document.ts',
    'extproc/transcript/reduced-document.ts',
  ]);
});

type Refuses<Unmasked, Sink> = Unmasked extends Sink ? false : true;

test('no sink takes unmasked text', () => {
  // Checked by the compiler: each line stops compiling when its sink would take what was not masked.
  const index: Refuses<ExchangeDocument, Parameters<IndexSink['deliver']>[0][number]> = true;
  const terminal: Refuses<ExchangeDocument[], Parameters<typeof renderTranscript>[0]> = true;
  const looks: Refuses<string, Parameters<LookLog['record']>[0]['subject']> = true;
  const exported: Refuses<ChatPart, Parameters<ChatSink['append']>[0][number]> = true;
  assert.ok(index && terminal && looks && exported);
});

test('a log line has no field for what a caller wrote', () => {
  const calls = sources.flatMap((file) => {
    const text = readFileSync(join(root, file), 'utf8');
    return [...text.matchAll(/\blog\.(?:info|warn|error|fatal|debug)\(\s*(\{[^}]*\})/g)].map((match) => match[1] ?? '');
  });
  assert.ok(calls.length > 0);
  for (const call of calls) assert.doesNotMatch(call, /\b(body|headers|content|text|prompt|message)\b/);
});
