import { allRules } from './examine.ts';
import type { Rule } from './rule.ts';
import { setupRules } from './setup.ts';

type About = Omit<Rule, 'find'>;

const heading = `# Doctor

<!-- Generated from extproc/doctor: node_modules/.bin/node extproc/doctor/document.ts > docs/doctor.md -->

\`skilltape doctor envoy.yaml\` reads an Envoy configuration and names each trap that it has: what is set so that traffic could
pass unrecorded, unjudged or under a false name, or so that it stalls. Most were observed on a running Envoy 1.40.

\`\`\`sh
npx skilltape doctor /etc/skilltape/envoy.yaml
npx skilltape --config /etc/skilltape/skilltape.yaml doctor /etc/skilltape/envoy.yaml
curl -s --unix-socket /run/skilltape/envoy-admin.sock http://admin/config_dump | npx skilltape doctor -
\`\`\`

- It takes Envoy's bootstrap file (YAML or JSON), or the config dump of a running Envoy, in which is also what came by
  discovery (LDS, RDS, CDS, ECDS). What a file refers to and does not have is said, never passed over. \`-\` is standard input.
- Parts are found by what they are, not by their names in \`envoy/envoy.yaml\`. Fields of other versions of Envoy are passed over.
- With a \`skilltape.yaml\` (\`--config\`, \`SKILLTAPE_CONFIG\`, or the one beside the Envoy file) both are compared.
- \`--json\` prints one document: \`{ files, traps: [{ id, severity, invariants, title, file, line, path, found, why, change }], live }\`.
- Exit codes: 0 no trap, 1 traps, 2 something given is wrong or cannot be read. Notes alone are no traps.
- It changes nothing, prints no secret, and without \`--live\` it opens no connection.

\`critical\`: traffic could pass unrecorded, unjudged or under a false name, or none passes. \`warning\`: traffic stalls, is cut, or
cannot be proven. The numbers are those of what must always hold: 1 written before it is forwarded, 2 refused when anything
fails, 3 nothing changed, 4 every ending recorded, 5 not to be forged or switched off by a caller, 6 nothing readable but the
masked copy, 10 everything bounded.

## \`--live\`

\`skilltape doctor --live envoy.yaml\` starts an Envoy of its own with this configuration on ports of the loopback address, in a
folder that is gone afterwards. Listeners are served in the clear there, every upstream is a local one that counts what
arrives, no other cluster leads anywhere, and the keys of the identity providers are the doctor's own, so that it can sign in.
Then it breaks the way to the processor and asks again on every route:

| case                | what stands at the processor's place                                                            |
| ------------------- | ----------------------------------------------------------------------------------------------- |
| \`upstream-counts\`   | the filters that protect are taken out: the request must arrive once                            |
| \`processor-answers\` | the processor of the configuration, if it runs: a request without a token must be refused by it |
| \`processor-down\`    | nothing                                                                                         |
| \`processor-stopped\` | a process that was stopped (SIGSTOP) after it answered the health check                         |
| \`cluster-missing\`   | the cluster is not in the configuration                                                         |
| \`socket-unreadable\` | a socket that may not be opened                                                                 |
| \`stream-ended\`      | a processor that ends each stream at once without an error                                      |

In each but the first, the request must be refused within 20 s and nothing may arrive upstream. \`processor-answers\` leaves one
record of a refused login for each route, whose path is \`/v1/messages\` and whose source is this machine.

`;

/** The page docs/doctor.md. */
export function renderDocument(): string {
  return `${[heading, section('Traps of an Envoy configuration', allRules), section('Beside skilltape.yaml', setupRules)].join('')}`;
}

function section(title: string, rules: readonly About[]): string {
  const entries = rules.map(({ id, severity, invariants, title: what, why }) => {
    const numbers = invariants.length === 0 ? '' : `, ${invariants.join(' and ')}`;
    return `### ${id}\n\n${what} (${severity}${numbers}). ${why}\n`;
  });
  return `## ${title}\n\n${entries.join('\n')}\n`;
}

if (import.meta.main) process.stdout.write(`${renderDocument().trimEnd()}\n`);
