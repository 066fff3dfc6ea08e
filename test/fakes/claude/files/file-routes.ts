/** The Files API. A file's own name may hold a directive: `[fake: undownloadable]` or `[fake: expired]`. */
import { ApiError, notFound } from '../api-error.ts';
import { type Call, ok, param, queryList, wholeBody } from '../call.ts';
import { binaryReply, type Reply } from '../reply.ts';
import { pageByCursor, pageById } from '../storage/paging.ts';
import type { StoredFile } from './file-store.ts';
import { readForm } from './multipart.ts';

/** Selects the older shape of lists, whoever sends it. */
const OLD_SHAPE = 'files-api-2025-04-14';
const EXPIRY_MIN_SECONDS = 3_600;
const EXPIRY_MAX_SECONDS = 7_776_000;

export async function uploadFile(call: Call): Promise<Reply> {
  const { fields, files } = await readForm(await wholeBody(call), call.headers['content-type']);
  const file = files.find(({ field }) => field === 'file');
  if (file === undefined) throw new ApiError(400, 'file: Field required');
  if (file.filename.length === 0 || file.filename.length > 255) throw new ApiError(400, 'file: bad filename');
  const expiry = fields.get('expires_in_seconds');
  if (expiry === undefined) return ok(call.resources.files.add(file));
  const expiresInSeconds = /^[0-9]{1,9}$/.test(expiry) ? Number(expiry) : 0;
  if (expiresInSeconds < EXPIRY_MIN_SECONDS || expiresInSeconds > EXPIRY_MAX_SECONDS) {
    throw new ApiError(400, `expires_in_seconds: must be from ${EXPIRY_MIN_SECONDS} to ${EXPIRY_MAX_SECONDS}`);
  }
  return ok(call.resources.files.add({ ...file, expiresInSeconds }));
}

export function listFiles(call: Call): Reply {
  const ids = queryList(call, 'ids');
  const files = call.resources.files.list().filter(({ id }) => ids === undefined || ids.includes(id));
  if (call.betas.has(OLD_SHAPE)) return ok(pageById(files, call.query));
  const { data, next_page } = pageByCursor(files, call.query);
  return ok({ data, next_page });
}

export function getFile(call: Call): Reply {
  return ok(find(call).metadata);
}

export function deleteFile(call: Call): Reply {
  const { metadata } = find(call);
  call.resources.files.delete(metadata.id);
  return ok({ id: metadata.id, type: 'file_deleted' });
}

export function downloadFile(call: Call): Reply {
  const { metadata, bytes } = find(call);
  if (!metadata.downloadable) {
    throw new ApiError(400, 'This file cannot be downloaded.', { error_code: 'file_not_downloadable' });
  }
  return binaryReply(bytes, metadata.mime_type, metadata.filename);
}

function find(call: Call): StoredFile {
  const id = param(call, 'file_id');
  const file = call.resources.files.get(id);
  if (file === undefined) throw notFound(`file ${id}`);
  if (file.metadata.filename.includes('[fake: expired]')) {
    throw new ApiError(404, `file ${id} has expired`, { error_code: 'file_expired' });
  }
  return file;
}
