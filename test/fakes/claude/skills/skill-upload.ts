/** Checks the files of an uploaded skill and reads what SKILL.md says of it. */
import { ApiError } from '../api-error.ts';
import { type Call, wholeBody } from '../call.ts';
import { type Form, readForm, type UploadedFile } from '../files/multipart.ts';

export type SkillUpload = {
  /** From the front matter of SKILL.md. */
  readonly name: string;
  readonly description: string;
  /** The one top directory of all files. */
  readonly directory: string;
  readonly files: readonly UploadedFile[];
  readonly form: Form;
};

const BYTES_MAX = 30 * 1024 * 1024;
const FRONT_MATTER_CHARACTERS = 4_096;

/** The files come as `files[]` parts, whose names hold the directory: `demo/SKILL.md`. */
export async function readSkillUpload(call: Call): Promise<SkillUpload> {
  const form = await readForm(await wholeBody(call), call.headers['content-type']);
  const files = form.files.filter(({ field }) => field === 'files[]' || field === 'files');
  if (files.length === 0) throw new ApiError(400, 'files: Field required');
  const directories = new Set(files.map(({ filename }) => filename.split('/')[0] ?? ''));
  const [directory = ''] = directories;
  if (directories.size > 1 || files.some(({ filename }) => !isPlainPath(filename))) {
    throw new ApiError(400, 'files: all files must be in one top directory');
  }
  if (files.reduce((sum, { bytes }) => sum + bytes.length, 0) > BYTES_MAX) {
    throw new ApiError(400, `files: together at most ${BYTES_MAX} bytes`);
  }
  const skillFile = files.find(({ filename }) => filename === `${directory}/SKILL.md`);
  if (skillFile === undefined) throw new ApiError(400, 'files: SKILL.md must be at the root of the top directory');
  const text = skillFile.bytes.toString('utf8').slice(0, FRONT_MATTER_CHARACTERS);
  const name = frontMatter(text, 'name') ?? directory;
  return { name, description: frontMatter(text, 'description') ?? '', directory, files, form };
}

function isPlainPath(filename: string): boolean {
  const parts = filename.split('/');
  return parts.length > 1 && parts.every((part) => part !== '' && part !== '.' && part !== '..');
}

function frontMatter(text: string, key: string): string | undefined {
  const lines = text.split(/\r?\n/);
  const end = lines.indexOf('---', 1);
  if (lines[0] !== '---' || end < 0) return undefined;
  const line = lines.slice(1, end).find((candidate) => candidate.startsWith(`${key}:`));
  return line?.slice(key.length + 1).trim();
}
