/** Finds the files that an exchange names, so that an upload, its use and the download of a result can be linked. */
import { isJsonObject, type JsonObject, type JsonValue, objectsIn } from './json.ts';
import type { Turn } from './request.ts';

const filesMax = 256;
const fileId = /^[\x21-\x7e]{1,256}$/;

/** Ids of the files that the answer's code wrote or put into the container, in order, each once, at most 256. */
export function filesProduced(message: JsonObject | null): string[] {
  const ids = new Set<string>();
  for (const block of objectsIn(message?.content)) {
    if (block.type === 'container_upload') add(ids, block.file_id);
    if (typeof block.type !== 'string' || !block.type.endsWith('code_execution_tool_result')) continue;
    const result = isJsonObject(block.content) ? block.content : {};
    for (const output of objectsIn(result.content)) {
      const isOutput = output.type === 'code_execution_output' || output.type === 'bash_code_execution_output';
      if (isOutput) add(ids, output.file_id);
    }
  }
  return [...ids];
}

/** Ids of the files that new turns hand to the model (documents, images, uploads to the container), bounded as above. */
export function filesReferenced(newTurns: readonly Turn[]): string[] {
  const ids = new Set<string>();
  for (const { content } of newTurns) addReferences(ids, content);
  return [...ids];
}

/** The parser bounds the depth. */
function addReferences(ids: Set<string>, content: JsonValue | undefined): void {
  for (const block of objectsIn(content)) {
    if (block.type === 'container_upload') add(ids, block.file_id);
    const source = isJsonObject(block.source) ? block.source : {};
    if (block.type === 'document' || block.type === 'image') {
      if (source.type === 'file') add(ids, source.file_id);
      addReferences(ids, source.content);
    }
    if (block.type === 'tool_result') addReferences(ids, block.content);
  }
}

function add(ids: Set<string>, id: JsonValue | undefined): void {
  if (typeof id === 'string' && ids.size < filesMax && fileId.test(id)) ids.add(id);
}
