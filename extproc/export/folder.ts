/** An export as a folder: whole under its name, or not there. Files are for their owner alone. */
import { randomBytes } from 'node:crypto';
import { type FileHandle, lstat, mkdir, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { diskFault } from '../disk-fault.ts';
import { SkilltapeError } from '../errors.ts';
import { type ChatSink, LineCount, textOf, type WrittenFile } from './sink.ts';

export const manifestName = 'manifest.json';
/** A conversation is never cut in two, so a file may be longer by one. */
const fileMaxBytesByDefault = 256 * 1024 * 1024;

export type ExportFolder = ChatSink & {
  /** Puts it in place with its manifest. Throws SkilltapeError `usage` when something came to stand there meanwhile. */
  publish(manifest: object): Promise<void>;
  /** Removes what is not in place. */
  discard(): Promise<void>;
};

type OpenFile = { name: string; handle: FileHandle; count: LineCount };

/** Throws SkilltapeError `usage` where there is something already, or no folder to put it in. */
export async function openExportFolder(
  out: string,
  fileMaxBytes: number = fileMaxBytesByDefault,
): Promise<ExportFolder> {
  const place = resolve(out);
  await refuseTaken(place);
  const partial = join(dirname(place), `.${basename(place)}.${randomBytes(6).toString('hex')}.partial`);
  await makePartial(partial, place);
  const written: WrittenFile[] = [];
  let file: OpenFile | null = null;
  let isPublished = false;
  const endFile = async () => {
    if (file === null) return;
    const { name, handle, count } = file;
    file = null;
    await handle.sync().finally(() => handle.close());
    written.push(count.written(name));
  };
  return {
    async append(conversation) {
      const text = textOf(conversation);
      if (text === '') return;
      if (file !== null && file.count.bytes >= fileMaxBytes) await endFile();
      file ??= await newFile(partial, written.length + 1);
      await file.handle.writeFile(text).catch((thrown: unknown) => {
        throw diskFault(thrown, place) ?? thrown;
      });
      file.count.add(text);
    },
    async end() {
      await endFile();
      return written;
    },
    async publish(manifest) {
      const handle = await open(join(partial, manifestName), 'wx', 0o600);
      await handle
        .writeFile(`${JSON.stringify(manifest, null, 2)}\n`)
        .then(() => handle.sync())
        .finally(() => handle.close());
      await syncFolder(partial);
      await refuseTaken(place);
      await rename(partial, place);
      isPublished = true;
      await syncFolder(dirname(place));
    },
    async discard() {
      if (isPublished) return;
      await file?.handle.close();
      file = null;
      await rm(partial, { recursive: true, force: true });
    },
  };
}

async function newFile(folder: string, number: number): Promise<OpenFile> {
  const name = `conversations-${String(number).padStart(5, '0')}.jsonl`;
  return { name, handle: await open(join(folder, name), 'wx', 0o600), count: new LineCount() };
}

async function refuseTaken(place: string): Promise<void> {
  const found = await lstat(place).catch((thrown: NodeJS.ErrnoException) => {
    if (thrown.code === 'ENOENT') return null;
    throw thrown;
  });
  if (found === null) return;
  throw new SkilltapeError('usage', `${place} is there already`, { remedy: 'name a folder that does not exist yet' });
}

async function makePartial(partial: string, place: string): Promise<void> {
  try {
    await mkdir(partial, { mode: 0o700 });
  } catch (thrown) {
    throw new SkilltapeError('usage', `${place} cannot be made: ${Object(thrown).code ?? 'unknown error'}`, {
      cause: thrown,
      remedy: `name a place in a folder that is there and that this user may write to`,
    });
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  await folder.sync().finally(() => folder.close());
}
