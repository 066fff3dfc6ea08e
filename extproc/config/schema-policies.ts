/** The section of `skilltape.yaml` about the policies and how edits of them come in force. */
import { z } from 'zod';
import { milliseconds, path } from './units.ts';

export const policies = z.strictObject({
  directory: path('Folder with the Rego policies and their data.').default('policies'),
  requestFindings: z.enum(['auto', 'always']).default('auto').meta({
    description:
      'When requests are searched for secrets and personal data before they are judged: where a rule looks at `input.findings`, or always.',
  }),
  liveEdit: z.boolean().default(true).meta({
    description:
      'Whether saved policies come in force while the processor runs, once they passed all checks; else at its next start.',
  }),
  settleMs: milliseconds(
    20,
    60_000,
    150,
    'How long no file of the policies may change before they count as saved; an edit of many files comes in force as one.',
  ),
  pollIntervalMs: milliseconds(
    100,
    3_600_000,
    10_000,
    'How often the files of the policies are looked at where the system tells nothing of changes, as on network file systems.',
  ),
  evaluationMaxMs: milliseconds(
    10,
    60_000,
    1_000,
    'Processor time that one decision may take on the largest input; a policy that takes more does not come in force.',
  ),
  keptVersionsMax: z.int().min(1).max(1_000_000).default(1_000).meta({
    description:
      'Policies, and configurations, that were in force and are kept; beyond it those go first that judged no exchange.',
    unit: 'versions',
  }),
});
