import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { SkilltapeError } from '../../../extproc/errors.ts';
import type { LabelledText } from './quality.ts';

export type LabelledSet = { name: string; texts: LabelledText[] };

const line = z.object({
  id: z.union([z.string(), z.number()]).optional(),
  text: z.string(),
  spans: z.array(z.object({ s: z.number().int().min(0), e: z.number().int().min(1), t: z.string().min(1) })),
});

/**
 * The labelled texts of a folder, a set for each `*.jsonl`; of lines, each is `{id, text, spans: [{s, e, t}]}` with UTF-16
 * offsets.
 * @throws SkilltapeError `usage`
 */
export function labelledSets(folder: string): LabelledSet[] {
  const files = globSync('*.jsonl', { cwd: folder }).toSorted();
  if (files.length === 0) throw new SkilltapeError('usage', `--data: there is no *.jsonl in ${folder}`);
  return files.map((file) => ({ name: basename(file, '.jsonl'), texts: textsOf(join(folder, file)) }));
}

function textsOf(file: string): LabelledText[] {
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.flatMap((text, index) => (text.trim() === '' ? [] : [labelledText(text, `${file}:${index + 1}`)]));
}

function labelledText(text: string, place: string): LabelledText {
  const read = line.safeParse(jsonOf(text));
  if (!read.success) {
    throw new SkilltapeError('usage', `${place} is no labelled text: {"id", "text", "spans": [{"s", "e", "t"}]}`);
  }
  const spans = read.data.spans.map(({ s, e, t }) => ({ start: s, end: e, type: t }));
  return { id: String(read.data.id ?? place), text: read.data.text, spans };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
