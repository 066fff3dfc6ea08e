/** What an export says of itself, beside its files. */
import type { Masked } from '../masking/masked.ts';
import type { ExportCounts, Exported } from './export.ts';
import { chatSchema } from './line.ts';
import type { WrittenFile } from './sink.ts';

export const manifestSchema = 'skilltape.export/1';

export type Manifest = {
  schema: typeof manifestSchema;
  /** Of each line of the files. */
  line_schema: typeof chatSchema;
  tool: { name: 'skilltape'; version: string };
  /** ISO 8601, UTC. */
  exported_at: string;
  exported_by: { os_user: string; uid: number };
  reason: Masked<string>;
  /** As it was asked, masked: who was asked for is no business of whoever trains. */
  query: Record<string, Masked<string>>;
  policy: {
    /** Of the policies that allowed it. */
    allowed_by: string;
    /** Of those that said what was kept of an exchange and how it was masked. */
    masked_by: string[];
  };
  counts: ExportCounts;
  files: WrittenFile[];
};

export type Asked = Pick<Manifest, 'exported_by' | 'reason' | 'query'> & {
  version: string;
  allowedBy: string;
  now: Date;
};

export function manifestOf(asked: Asked, { counts, revisions }: Exported, files: WrittenFile[]): Manifest {
  const { exported_by, reason, query, version, allowedBy, now } = asked;
  return {
    ...{ schema: manifestSchema, line_schema: chatSchema, tool: { name: 'skilltape', version } },
    ...{ exported_at: now.toISOString(), exported_by, reason, query },
    policy: { allowed_by: allowedBy, masked_by: revisions },
    ...{ counts, files },
  };
}
