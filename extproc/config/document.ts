import { describeConfig, type KeyDescription } from './describe.ts';

const heading = `# Configuration

<!-- Generated from extproc/config/schema.ts: node_modules/.bin/node extproc/config/document.ts > docs/configuration.md -->

skilltape reads one YAML file: the one given on the command line, else the one that \`SKILLTAPE_CONFIG\` names, else
\`skilltape.yaml\` in the working directory. [deploy/skilltape.yaml](../deploy/skilltape.yaml) is an example with comments.

- Relative paths start from the folder of the file.
- Quantities are whole numbers in the unit that the name of the key ends with.
- A key that is not listed here, a key written twice and a value of the wrong kind are faults. All faults are reported
  at once, and the processor does not start (status 2).
- \`SKILLTAPE_CONFIG\` is the only environment variable; any other whose name begins with \`SKILLTAPE_\` is a fault.
  \`ENVOY_BIN\` and \`OPA_BIN\` name the tools, see the README.
- \`<name>\` is a name of your choice: 1 to 63 of the characters a-z, 0-9 and \`-\`.
- \`listen\` takes exactly one of \`socket\` and \`tcp\`.
- \`connections.<name>.rewriteResultsUrl: true\` needs the connection's \`publicUrl\`.
- \`limits.spooledBodyMaxBytes\` and \`limits.heldBodyPerCallerMaxBytes\` must each be at least \`limits.requestBodyMaxBytes\`.
  Of \`journal.journalMaxBytes\` each of the \`workers\` has an equal part; that must be at least
  \`limits.requestBodyMaxBytes\` and twice \`journal.segmentMaxBytes\`.
- \`index.elasticsearch\` is given when \`index.kind\` is \`elasticsearch\`, and only then. It takes an API key or a user with a
  password, each in a file of its own that other users of the machine may not read; [deploy/elasticsearch](../deploy/elasticsearch/README.md)
  has the roles.
`;

const columns = ['key', 'type', 'unit', 'default', 'meaning'];

/** The page docs/configuration.md; a test holds the file to it. */
export function renderDocument(): string {
  return `${heading}\n${renderTable([columns, ...describeConfig().map(cellsOf)])}`;
}

function cellsOf({ key, type, unit, default: byDefault, doc }: KeyDescription): string[] {
  const shown = byDefault === null ? '**required**' : byDefault === 'none' ? '' : `\`${byDefault}\``;
  return [`\`${key}\``, type, unit ?? '', shown, doc.replaceAll('|', '\\|')];
}

/** Padded as the formatter of this repository writes tables. */
function renderTable(rows: readonly (readonly string[])[]): string {
  const widths = columns.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |\n`;
  const [head, ...body] = rows.map((row) => line(row.map((cell, column) => cell.padEnd(widths[column] ?? 0))));
  return `${head}${line(widths.map((width) => '-'.repeat(width)))}${body.join('')}`;
}

if (import.meta.main) process.stdout.write(renderDocument());
