import { describeConfig, type KeyDescription } from './describe.ts';

const heading = `# Configuration

<!-- Generated from extproc/config/schema.ts: node_modules/.bin/node extproc/config/document.ts > docs/configuration.md -->

skilltape reads one YAML file: the one given on the command line, else the one that \`SKILLTAPE_CONFIG\` names, else
\`skilltape.yaml\` in the working directory. [deploy/skilltape.yaml](../deploy/skilltape.yaml) is an example with comments.

- Relative paths start from the folder of the file.
- Quantities are whole numbers in the unit that the name of the key ends with.
- A key that is not listed here, a key written twice and a value of the wrong kind are faults. All faults are reported
  at once, and the processor does not start (status 2).
- \`SKILLTAPE_CONFIG\` is the only environment variable here (\`SKILLTAPE_ISSUER\` and \`SKILLTAPE_CLIENT_ID\` are for \`skilltape
  token\`, see [clients.md](clients.md)); any other whose name begins with \`SKILLTAPE_\` is a fault.
  \`ENVOY_BIN\` and \`OPA_BIN\` name the tools, see the README.
- \`<name>\` is a name of your choice: 1 to 63 of the characters a-z, 0-9 and \`-\`.
- A retention class is named as policy \`record\` names it: 1 to 32 characters, a letter, then a-z, 0-9, \`_\` and \`-\`; its \`metadataDays\` must be
  at least its \`contentDays\`.
- \`listen\` takes exactly one of \`socket\` and \`tcp\`.
- \`connections.<name>.rewriteResultsUrl: true\` needs the connection's \`publicUrl\`.
- \`limits.spooledBodyMaxBytes\` and \`limits.heldBodyPerCallerMaxBytes\` must each be at least \`limits.requestBodyMaxBytes\`.
  Of \`journal.journalMaxBytes\` each of the \`workers\` has an equal part; that must be at least
  \`limits.requestBodyMaxBytes\` and twice \`journal.segmentMaxBytes\`.
- \`index.elasticsearch\` is given when \`index.kind\` is \`elasticsearch\`, and only then. It takes an API key or a user with a
  password, each in a file of its own that other users of the machine may not read; [deploy/elasticsearch](../deploy/elasticsearch/README.md)
  has the roles.
`;

const beforeLimits = `
## At a limit

At a limit requests are refused in Claude's error envelope; nothing that was taken is dropped. Limits are those of one
process: with \`workers: N\` each worker has its own, and an equal part of \`journal.journalMaxBytes\`.

`;

const limitRows: readonly (readonly string[])[] = [
  ['at', 'the caller hears', 'what is open'],
  ['`limits.requestBodyMaxBytes`', '413', 'goes on'],
  ['`limits.openExchangesMax`', '503', 'goes on'],
  ['`limits.openExchangesPerCallerMax`, `heldBodyPerCallerMaxBytes`', '429, that caller alone', 'goes on'],
  [
    '`limits.heldBodyMaxBytes`',
    'nothing',
    'what finds no room is held in the journal alone, and read back to be judged and released',
  ],
  ['`limits.spooledBodyMaxBytes`', '503', 'goes on; of each body what is released is free again'],
  ['`decisionTimeoutMs`', '503', 'the one request is refused, also when the disk is what is slow'],
  [
    '`journal.journalMaxBytes`',
    '503, without a record',
    'goes on to its end on a reserve of a quarter more; when that is used up too, held requests are refused and answers are cut',
  ],
  [
    'a disk that is full, read-only or fails',
    '503',
    'held requests are refused, answers are cut, and the processor ends with status 1; it starts again when it can write',
  ],
  [
    'a disk that is slow',
    'nothing',
    "answers come as slowly; one is cut when a chunk waits and no more came from the upstream for Envoy's `message_timeout` (30 s)",
  ],
  [
    'an index that is full or away',
    'nothing',
    'exchanges wait in the journal until the index takes them, as long as the journal has room',
  ],
];

const afterLimits = `
The reserve is for what is open: new exchanges are taken again when the journal is below its size, which is when the index
has taken what stands at its beginning. What a caller heard of an answer that was cut is a prefix of what is recorded.
Texts in the index have limits of their own: \`index.textMaxChars\` each, and 8,000,000 characters of one document together; bodies
above 96 MiB are not read for it. What was left out is said in the document.
`;

const columns = ['key', 'type', 'unit', 'default', 'meaning'];

/** The page docs/configuration.md; a test holds the file to it. */
export function renderDocument(): string {
  return `${heading}\n${renderTable([columns, ...describeConfig().map(cellsOf)])}${beforeLimits}${renderTable(limitRows)}${afterLimits}`;
}

function cellsOf({ key, type, unit, default: byDefault, doc }: KeyDescription): string[] {
  const shown = byDefault === null ? '**required**' : byDefault === 'none' ? '' : `\`${byDefault}\``;
  return [`\`${key}\``, type, unit ?? '', shown, doc.replaceAll('|', '\\|')];
}

/** Padded as the formatter of this repository writes tables. */
function renderTable(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |\n`;
  const [head, ...body] = rows.map((row) => line(row.map((cell, column) => cell.padEnd(widths[column] ?? 0))));
  return `${head}${line(widths.map((width) => '-'.repeat(width)))}${body.join('')}`;
}

if (import.meta.main) process.stdout.write(renderDocument());
